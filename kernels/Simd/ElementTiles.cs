namespace SapaGpu.Kernels.Simd;

/// <summary>Runs an <see cref="IElementProgram{TParameters}"/> on the CPU, a run of values at a time.</summary>
public readonly struct ElementTiles<TProgram, TParameters> : ITileProgram<TParameters>
    where TProgram : struct, IElementProgram<TParameters>
    where TParameters : struct
{
    private const int ElementsPerTile = 1024;

    /// <inheritdoc/>
    public static long TileCount(in TParameters parameters) =>
        (TProgram.Count(in parameters) + ElementsPerTile - 1) / ElementsPerTile;

    /// <inheritdoc/>
    public static long ScratchBytes(in TParameters parameters) => 0;

    /// <inheritdoc/>
    public static double Operations(in TParameters parameters) =>
        TProgram.Count(in parameters) * TProgram.OperationsPerElement(in parameters);

    /// <inheritdoc/>
    public static unsafe void Execute(in TParameters parameters, long tile, byte* scratch)
    {
        long end = Math.Min((tile + 1) * ElementsPerTile, TProgram.Count(in parameters));
        for (long index = tile * ElementsPerTile; index < end; index++)
            TProgram.Apply(in parameters, index);
    }
}
