using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Launch;

namespace SapaGpu;

/// <summary>
/// Which cells of one axis of a map each output row, or column, sees: a contiguous range that never moves backward from one
/// output to the next. Windows of any size with any border, ranges by a ratio and the whole axis are such tables.
/// </summary>
/// <remarks>
/// Of n cells and N outputs, the window of width K of output y begins at ⌊y·n/N⌋ − ⌊K/2⌋; one of even width has one cell more
/// before the middle than after it. Cells and outputs are at most 2²⁴. Immutable, and may be shared by threads and devices.
/// </remarks>
public sealed class AxisRanges
{
    // Of cells or outputs: their tables are arrays.
    private const int MostPositions = 1 << 24;

    private AxisRanges(int cells, int[] table, OutsideRule outside)
    {
        Cells = cells;
        Table = table;
        Outside = outside;
    }

    /// <summary>Gets the cells of the axis, H or W of key and value.</summary>
    public int Cells { get; }

    /// <summary>Gets the outputs, OH or OW of the query.</summary>
    public int Outputs => Table.Length / AxisRange.Numbers;

    /// <summary>Gets the cells that an output sees: the first, and the one after the last.</summary>
    /// <param name="output">The output row or column, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such output.</exception>
    public (int First, int End) this[int output] => (uint)output < (uint)Outputs
        ? (Table[output * AxisRange.Numbers], Table[output * AxisRange.Numbers + 1])
        : throw new ArgumentOutOfRangeException(nameof(output), output, $"There are {Outputs} outputs.");

    /// <summary>Gets the ranges as kernels read them.</summary>
    internal int[] Table { get; }

    /// <summary>Gets what taps outside the map are.</summary>
    internal OutsideRule Outside { get; }

    /// <summary>Windows of one width.</summary>
    /// <param name="cells">n, the cells of the axis.</param>
    /// <param name="outputs">N, the outputs.</param>
    /// <param name="window">K, the width, odd or even; it may be larger than the axis.</param>
    /// <param name="border">
    /// How taps outside are treated. With <see cref="BorderRule.Shifted"/> a window that is larger than the axis is the whole
    /// axis.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive or above 2²⁴, or the border is not defined.</exception>
    public static AxisRanges Window(int cells, int outputs, int window, BorderRule border)
    {
        CheckSizes(cells, outputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 1);
        EnumChecks.Defined(border);
        var outside = border switch
        {
            BorderRule.ZeroLogit => OutsideRule.Zero,
            BorderRule.Replicate => OutsideRule.Repeated,
            _ => OutsideRule.None,
        };
        return Create(cells, outputs, outside, output =>
        {
            long first = (long)output * cells / outputs - window / 2;
            if (border == BorderRule.Shifted)
                first = Math.Clamp(first, 0, Math.Max(0, cells - window));
            long end = first + window;
            bool counts = outside != OutsideRule.None;
            return new AxisRange
            {
                First = (int)Math.Max(first, 0),
                End = (int)Math.Min(end, cells),
                Before = counts ? (int)Math.Max(-first, 0) : 0,
                After = counts ? (int)Math.Max(end - cells, 0) : 0,
            };
        });
    }

    /// <summary>The whole axis for every output.</summary>
    /// <param name="cells">The cells of the axis.</param>
    /// <param name="outputs">The outputs.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive or above 2²⁴.</exception>
    public static AxisRanges Whole(int cells, int outputs)
    {
        CheckSizes(cells, outputs);
        return Create(cells, outputs, OutsideRule.None, _ => new AxisRange { End = cells });
    }

    /// <summary>
    /// Ranges of a ratio of the axis, the rule of AnyUp (Wimmer et al., <i>AnyUp: Universal Feature Upsampling</i>, ICLR 2026).
    /// In single precision, every operation rounded, with p = (y + 0.5)/N:
    /// </summary>
    /// <remarks>
    /// <code>
    /// first = floor(clamp(p − r, 0, 1)·n)        end = ceil(clamp(p + r, 0, 1)·n)
    /// </code>
    /// </remarks>
    /// <param name="cells">n, the cells of the axis.</param>
    /// <param name="outputs">N, the outputs.</param>
    /// <param name="ratio">r, the part of the axis that is seen to either side; positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size or the ratio is not positive, or a size above 2²⁴.</exception>
    public static AxisRanges Ratio(int cells, int outputs, float ratio)
    {
        CheckSizes(cells, outputs);
        if (!(ratio > 0))
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The ratio must be positive.");
        return Create(cells, outputs, OutsideRule.None, output =>
        {
            float position = (output + 0.5f) / outputs;
            float low = Math.Clamp(position - ratio, 0f, 1f);
            float high = Math.Clamp(position + ratio, 0f, 1f);
            return new AxisRange { First = (int)MathF.Floor(low * cells), End = (int)MathF.Ceiling(high * cells) };
        });
    }

    /// <summary>Ranges of the caller's own.</summary>
    /// <param name="cells">The cells of the axis.</param>
    /// <param name="ranges">
    /// For every output the first cell and the one after the last; equal where it sees nothing. Neither may be smaller than the
    /// one before.
    /// </param>
    /// <exception cref="ArgumentException">A range lies outside the axis or before an earlier one.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are no cells or no outputs.</exception>
    public static AxisRanges Of(int cells, params ReadOnlySpan<(int First, int End)> ranges)
    {
        CheckSizes(cells, ranges.Length);
        var table = new int[ranges.Length * AxisRange.Numbers];
        var before = (First: 0, End: 0);
        for (int i = 0; i < ranges.Length; i++)
        {
            var (first, end) = ranges[i];
            if (first < before.First || end < before.End || end < first || end > cells)
            {
                throw new ArgumentException(
                    $"The range of output {i} is [{first}, {end}) after [{before.First}, {before.End}); it must lie within " +
                    $"[0, {cells}), and neither end may go back.",
                    nameof(ranges));
            }
            table[i * AxisRange.Numbers] = first;
            table[i * AxisRange.Numbers + 1] = end;
            before = (first, end);
        }
        return new AxisRanges(cells, table, OutsideRule.None);
    }

    /// <summary>The range of an output.</summary>
    internal AxisRange RangeOf(int output) => new()
    {
        First = Table[output * AxisRange.Numbers],
        End = Table[output * AxisRange.Numbers + 1],
        Before = Table[output * AxisRange.Numbers + 2],
        After = Table[output * AxisRange.Numbers + 3],
    };

    /// <summary>For every cell the outputs that see it, first and end.</summary>
    internal int[] OutputsOfCells()
    {
        var table = new int[2 * Cells];
        int first = 0;
        int end = 0;
        for (int cell = 0; cell < Cells; cell++)
        {
            while (first < Outputs && RangeOf(first).End <= cell)
                first++;
            while (end < Outputs && RangeOf(end).First <= cell)
                end++;
            table[2 * cell] = first;
            table[2 * cell + 1] = Math.Max(first, end);
        }
        return table;
    }

    private static AxisRanges Create(int cells, int outputs, OutsideRule outside, Func<int, AxisRange> range)
    {
        var table = new int[checked(outputs * AxisRange.Numbers)];
        for (int output = 0; output < outputs; output++)
        {
            var own = range(output);
            table[output * AxisRange.Numbers] = own.First;
            table[output * AxisRange.Numbers + 1] = own.End;
            table[output * AxisRange.Numbers + 2] = own.Before;
            table[output * AxisRange.Numbers + 3] = own.After;
        }
        return new AxisRanges(cells, table, outside);
    }

    private static void CheckSizes(int cells, int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cells, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cells, MostPositions);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(outputs, MostPositions);
    }
}
