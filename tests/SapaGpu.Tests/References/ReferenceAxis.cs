namespace SapaGpu.Tests;

/// <summary>What the points of a problem of cross-resolution attention see.</summary>
public enum CrossRule
{
    /// <summary>Windows that are cut off.</summary>
    Masked,

    /// <summary>Windows that are moved.</summary>
    Shifted,

    /// <summary>Windows with taps of score 0 outside.</summary>
    ZeroLogit,

    /// <summary>Windows that repeat the edge.</summary>
    Replicate,

    /// <summary>Everything.</summary>
    Whole,

    /// <summary>A part of either axis.</summary>
    Ratio,

    /// <summary>Any table that does not go back, empty ranges included.</summary>
    Table,
}

/// <summary>The ranges of an axis, and the same as a list of taps for every output.</summary>
/// <param name="Ranges">The ranges.</param>
/// <param name="Taps">Cells, null for a tap outside that counts with score 0 and value 0.</param>
public sealed record ReferenceAxis(AxisRanges Ranges, IReadOnlyList<int?[]> Taps)
{
    /// <summary>An axis of a rule; the window and the ratio are for rules that have one.</summary>
    public static ReferenceAxis Of(CrossRule rule, int cells, int outputs, int window, float ratio, Random random)
    {
        switch (rule)
        {
            case CrossRule.Whole:
                return new(AxisRanges.Whole(cells, outputs), ReferenceCross.Cells(Enumerable.Repeat((0, cells), outputs)));
            case CrossRule.Ratio:
                var part = AxisRanges.Ratio(cells, outputs, ratio);
                return new(part, ReferenceCross.Cells(Enumerable.Range(0, outputs).Select(output => part[output])));
            case CrossRule.Table:
                var table = Table(cells, outputs, random);
                return new(AxisRanges.Of(cells, table), ReferenceCross.Cells(table));
            default:
                var border = Enum.Parse<BorderRule>($"{rule}");
                return new(
                    AxisRanges.Window(cells, outputs, window, border),
                    ReferenceCross.Window(cells, outputs, Math.Min(window, Limit(border, cells)), border));
        }
    }

    private static int Limit(BorderRule border, int cells) => border == BorderRule.Shifted ? cells : int.MaxValue;

    private static (int First, int End)[] Table(int cells, int outputs, Random random)
    {
        int[] firsts = [.. Enumerable.Range(0, outputs).Select(_ => random.Next(cells + 1)).Order()];
        int[] ends = [.. Enumerable.Range(0, outputs).Select(_ => random.Next(cells + 1)).Order()];
        int end = 0;
        return
        [
            .. firsts.Zip(ends).Select(pair =>
            {
                end = Math.Max(end, Math.Max(pair.First, pair.Second));
                return (pair.First, end);
            }),
        ];
    }
}
