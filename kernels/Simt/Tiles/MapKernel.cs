using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Runs an <see cref="IMapProgram{TParameters}"/> with one thread for every value.</summary>
internal readonly struct MapKernel<TProgram, TParameters> : IKernel<TParameters>
    where TProgram : struct, IMapProgram<TParameters>
    where TParameters : struct
{
    public static int GroupSize => 128;

    public static long GroupCount(in TParameters parameters) =>
        (TProgram.Extent(in parameters).Count + GroupSize - 1) / GroupSize;

    public static void Execute(in TParameters parameters)
    {
        var extent = TProgram.Extent(in parameters);
        long index = (long)Grid.IdxX * Group.DimX + Group.IdxX;
        if (index < extent.Count)
            TProgram.Apply(in parameters, extent.Locate(index));
    }
}
