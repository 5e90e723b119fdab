namespace SapaGpu.Kernels;

/// <summary>
/// A program that computes independent single values: too small to be worth a version for each kind of device, so it is
/// written once and run by <see cref="Simt.ElementKernel{TProgram, TParameters}"/> and
/// <see cref="Simd.ElementTiles{TProgram, TParameters}"/>.
/// </summary>
/// <typeparam name="TParameters">The parameter block.</typeparam>
public interface IElementProgram<TParameters>
    where TParameters : struct
{
    /// <summary>The number of values.</summary>
    static abstract long Count(in TParameters parameters);

    /// <summary>The floating-point operations of one value.</summary>
    static abstract double OperationsPerElement(in TParameters parameters);

    /// <summary>Computes one value.</summary>
    static abstract void Apply(in TParameters parameters, long index);
}
