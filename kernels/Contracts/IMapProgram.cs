namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// A program that computes the values of a map one by one, each on its own: written once and run by
/// <see cref="Simt.MapKernel{TProgram, TParameters}"/> and <see cref="Simd.MapTiles{TProgram, TParameters}"/>.
/// </summary>
/// <typeparam name="TParameters">The parameter block.</typeparam>
internal interface IMapProgram<TParameters>
    where TParameters : struct
{
    /// <summary>The values, and the order in which neighbouring threads take them.</summary>
    static abstract MapExtent Extent(in TParameters parameters);

    /// <summary>The floating-point operations of one value, roughly.</summary>
    static abstract double OperationsPerValue(in TParameters parameters);

    /// <summary>Computes one value.</summary>
    static abstract void Apply(in TParameters parameters, in MapPosition at);
}
