namespace SapaGpu.Kernels.Simd;

/// <summary>Some cells of a tile, numbered row by row.</summary>
internal readonly struct CrossBlock(int first, int count)
{
    public readonly int First = first;
    public readonly int Count = count;

    /// <summary>The blocks of a tile.</summary>
    public static int CountOf(in CrossTile tile, int blockCells) => (tile.Cells + blockCells - 1) / blockCells;

    /// <summary>A block of a tile.</summary>
    public static CrossBlock Of(in CrossTile tile, int blockCells, int block) =>
        new(block * blockCells, Math.Min(blockCells, tile.Cells - block * blockCells));
}
