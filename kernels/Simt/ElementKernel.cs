using ILGPU;

namespace SapaGpu.Kernels.Simt;

/// <summary>Runs an <see cref="IElementProgram{TParameters}"/> with one thread for every value.</summary>
public readonly struct ElementKernel<TProgram, TParameters> : IKernel<TParameters>
    where TProgram : struct, IElementProgram<TParameters>
    where TParameters : struct
{
    /// <inheritdoc/>
    public static int GroupSize => 128;

    /// <inheritdoc/>
    public static long GroupCount(in TParameters parameters) =>
        (TProgram.Count(in parameters) + GroupSize - 1) / GroupSize;

    /// <inheritdoc/>
    public static void Execute(in TParameters parameters)
    {
        long index = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (index < TProgram.Count(in parameters))
            TProgram.Apply(in parameters, index);
    }
}
