using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>The cells of one axis that an output row or column sees, and how far its window reaches beyond the map.</summary>
internal struct AxisRange
{
    /// <summary>The numbers of a range in a table.</summary>
    public const int Numbers = 4;

    /// <summary>The first cell.</summary>
    public int First;

    /// <summary>The cell after the last; the same as the first where nothing is seen.</summary>
    public int End;

    /// <summary>The taps before the first cell of the map.</summary>
    public int Before;

    /// <summary>The taps after the last cell of the map.</summary>
    public int After;

    /// <summary>Gets the cells.</summary>
    public readonly int Count => End - First;

    /// <summary>Gets the taps, inside and outside.</summary>
    public readonly int Taps => Count + Before + After;

    /// <summary>Reads the range of an output from a table.</summary>
    public static AxisRange Read(ArrayView<int> table, int output)
    {
        long at = (long)output * Numbers;
        return new AxisRange
        {
            First = table[at],
            End = table[at + 1],
            Before = table[at + 2],
            After = table[at + 3],
        };
    }

    /// <summary>How often a cell of the range is counted where what lies outside repeats the edge.</summary>
    public readonly int Repeats(int cell)
    {
        int count = 1;
        if (cell == First)
            count += Before;
        if (cell == End - 1)
            count += After;
        return count;
    }
}
