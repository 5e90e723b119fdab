using ILGPU;
using SapaGpu.Devices;

namespace SapaGpu.Launch;

/// <summary>The tables of ranges and tiles in the memory of a device, which gets it back when nobody knows them any more.</summary>
internal sealed class RangeTables
{
    private readonly DeviceMemory memory;
    private readonly int[] lengths;

    /// <summary>Writes the tables of some ranges.</summary>
    public RangeTables(ComputeDevice device, WindowRanges ranges)
    {
        int[][] tables =
        [
            ranges.Rows.Table,
            ranges.Columns.Table,
            ranges.Plan.RowTiles,
            ranges.Plan.ColumnTiles,
            ranges.Rows.OutputsOfCells(),
            ranges.Columns.OutputsOfCells(),
        ];
        lengths = [.. tables.Select(table => table.Length)];
        int[] all = [.. tables.SelectMany(table => table)];
        memory = DeviceMemory.Allocate(device, all.Length * sizeof(int));
        device.Backend.Write<int>(memory.View<int>(all.Length), all);
    }

    /// <summary>Gets the ranges of the rows.</summary>
    public ArrayView<int> Rows => Table(0);

    /// <summary>Gets the ranges of the columns.</summary>
    public ArrayView<int> Columns => Table(1);

    /// <summary>Gets the starts of the row tiles.</summary>
    public ArrayView<int> RowTiles => Table(2);

    /// <summary>Gets the starts of the column tiles.</summary>
    public ArrayView<int> ColumnTiles => Table(3);

    /// <summary>Gets the output rows of every cell row.</summary>
    public ArrayView<int> RowQueries => Table(4);

    /// <summary>Gets the output columns of every cell column.</summary>
    public ArrayView<int> ColumnQueries => Table(5);

    private ArrayView<int> Table(int number)
    {
        int from = 0;
        for (int i = 0; i < number; i++)
            from += lengths[i];
        return memory.View<int>(from + lengths[number]).SubView(from, lengths[number]);
    }
}
