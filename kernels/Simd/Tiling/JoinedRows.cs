namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The cut of the rows of many maps, one after the other, into tiles of about the same number of values; a tile may
/// begin in one map and end in another, so that many small maps do not make many small tiles.
/// </summary>
internal readonly struct JoinedRows
{
    private readonly int height;
    private readonly long rows;
    private readonly long rowsPerTile;

    public JoinedRows(long maps, int height, long valuesPerRow, int valuesPerTile)
    {
        this.height = height;
        rows = maps * height;
        rowsPerTile = Math.Max(1, valuesPerTile / Math.Max(1, valuesPerRow));
    }

    public long Count => (rows + rowsPerTile - 1) / rowsPerTile;

    /// <summary>Begins the rows of a tile; <see cref="Next"/> leads to the first of its parts.</summary>
    public JoinedRange Begin(long tile) => new()
    {
        Following = tile * rowsPerTile,
        Last = Math.Min(rows, (tile + 1) * rowsPerTile),
    };

    /// <summary>Moves on to the next part, the rows of one map; false behind the last.</summary>
    public bool Next(ref JoinedRange range)
    {
        if (range.Following >= range.Last)
            return false;
        (long map, long first) = Math.DivRem(range.Following, height);
        range.Image = (int)map;
        range.First = (int)first;
        range.End = (int)Math.Min(height, first + range.Last - range.Following);
        range.Following += range.End - range.First;
        return true;
    }
}

/// <summary>Some rows of one of the maps.</summary>
internal struct JoinedRange
{
    public int Image;
    public int First;
    public int End;
    public long Following;
    public long Last;
}
