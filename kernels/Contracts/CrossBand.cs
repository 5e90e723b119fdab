using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>Row tiles whose gradients of cells are summed together, and the cell rows that they see.</summary>
internal struct CrossBand
{
    /// <summary>The numbers of a band in a table.</summary>
    public const int Numbers = 3;

    /// <summary>The first row tile.</summary>
    public int FirstTile;

    /// <summary>The first cell row.</summary>
    public int FirstRow;

    /// <summary>The cell row after the last.</summary>
    public int EndRow;

    /// <summary>Reads a band of a table; the one after the last only has a first tile.</summary>
    public static CrossBand Read(ArrayView<int> table, int band)
    {
        long at = (long)band * Numbers;
        return new CrossBand { FirstTile = table[at], FirstRow = table[at + 1], EndRow = table[at + 2] };
    }
}
