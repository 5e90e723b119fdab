using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The queries of one cell, row by row.</summary>
internal unsafe struct StripQueries
{
    public int Row;
    public int Column;
    public int Columns;
    public int Count;

    /// <summary>Finds the queries of a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static StripQueries Locate(in WindowExtent extent, int row, int column)
    {
        if (extent.IsUniform)
        {
            return new StripQueries
            {
                Row = row * extent.Rows.Scale,
                Column = column * extent.Columns.Scale,
                Columns = extent.Columns.Scale,
                Count = extent.Rows.Scale * extent.Columns.Scale,
            };
        }
        int columns = extent.Columns.Count(column);
        return new StripQueries
        {
            Row = extent.Rows.First(row),
            Column = extent.Columns.First(column),
            Columns = columns,
            Count = columns * extent.Rows.Count(row),
        };
    }

    /// <summary>
    /// The packs that a row of cells of a strip is worked in: those of the cell with the most queries.
    /// </summary>
    public static int QueryPacks(in WindowExtent extent, in Strip strip, int row)
    {
        int most = 0;
        int columns = extent.IsUniform ? 1 : strip.Columns;
        for (int lane = 0; lane < columns; lane++)
            most = Math.Max(most, Locate(in extent, row, strip.Column + lane).Count);
        return (most + 3) / 4;
    }

    /// <summary>The place of a query; one past the last stands for the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly T* At<T>(in MapPointer<T> map, int image, int channel, int query)
        where T : unmanaged
    {
        int index = Math.Min(query, Count - 1);
        return map.At(image, channel, Row + index / Columns, Column + index % Columns);
    }
}
