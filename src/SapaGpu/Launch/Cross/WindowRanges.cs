using System.Runtime.CompilerServices;
using SapaGpu.Launch;

namespace SapaGpu;

/// <summary>
/// Which cells of a map [H, W] each point of an output [OH, OW] sees: those in the range of its row and in the range of its
/// column.
/// </summary>
/// <remarks>Immutable, and may be shared by threads and devices. What is derived from it is kept: create it once.</remarks>
public sealed class WindowRanges
{
    private readonly ConditionalWeakTable<ComputeDevice, RangeTables> tables = [];
    private readonly Lazy<RangePlan> plan;

    /// <summary>Combines the ranges of both axes.</summary>
    /// <param name="rows">Those of the rows.</param>
    /// <param name="columns">Those of the columns.</param>
    /// <exception cref="ArgumentException">
    /// The axes disagree about taps outside: one has <see cref="BorderRule.ZeroLogit"/>, the other
    /// <see cref="BorderRule.Replicate"/>.
    /// </exception>
    public WindowRanges(AxisRanges rows, AxisRanges columns)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(columns);
        if (rows.Outside != columns.Outside && rows.Outside != OutsideRule.None && columns.Outside != OutsideRule.None)
        {
            throw new ArgumentException(
                $"Rows and columns have different borders, {BorderRule.ZeroLogit} and {BorderRule.Replicate}; give both the " +
                "same one.",
                nameof(columns));
        }
        Rows = rows;
        Columns = columns;
        plan = new Lazy<RangePlan>(() => new RangePlan(rows, columns));
    }

    /// <summary>Gets the ranges of the rows, H of OH.</summary>
    public AxisRanges Rows { get; }

    /// <summary>Gets the ranges of the columns, W of OW.</summary>
    public AxisRanges Columns { get; }

    /// <summary>Gets whether taps outside have score 0 and value 0.</summary>
    internal bool OutsideIsZero => Rows.Outside == OutsideRule.Zero || Columns.Outside == OutsideRule.Zero;

    /// <summary>Gets whether taps outside repeat the edge.</summary>
    internal bool RepeatsEdges => Rows.Outside == OutsideRule.Repeated || Columns.Outside == OutsideRule.Repeated;

    internal RangePlan Plan => plan.Value;

    /// <summary>Windows around the cell of every output point.</summary>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="outputHeight">OH.</param>
    /// <param name="outputWidth">OW.</param>
    /// <param name="windowHeight">The rows of the window.</param>
    /// <param name="windowWidth">The columns of the window.</param>
    /// <param name="border">How taps outside the map are treated.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or the border is not defined.</exception>
    public static WindowRanges Window(
        int height, int width, int outputHeight, int outputWidth, int windowHeight, int windowWidth, BorderRule border) => new(
        AxisRanges.Window(height, outputHeight, windowHeight, border),
        AxisRanges.Window(width, outputWidth, windowWidth, border));

    /// <summary>The whole map for every output point.</summary>
    /// <inheritdoc cref="Window"/>
    public static WindowRanges Whole(int height, int width, int outputHeight, int outputWidth) =>
        new(AxisRanges.Whole(height, outputHeight), AxisRanges.Whole(width, outputWidth));

    /// <summary>Ranges of a ratio of either axis, the rule of AnyUp; see <see cref="AxisRanges.Ratio"/>.</summary>
    /// <inheritdoc cref="Window" path="/exception"/>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="outputHeight">OH.</param>
    /// <param name="outputWidth">OW.</param>
    /// <param name="ratio">The part of an axis that is seen to either side; positive.</param>
    public static WindowRanges Ratio(int height, int width, int outputHeight, int outputWidth, float ratio) =>
        new(AxisRanges.Ratio(height, outputHeight, ratio), AxisRanges.Ratio(width, outputWidth, ratio));

    /// <summary>Returns the sizes, as error messages show them.</summary>
    public override string ToString() => $"{Rows.Cells}x{Columns.Cells} to {Rows.Outputs}x{Columns.Outputs}";

    /// <summary>The tables in the memory of a device.</summary>
    internal RangeTables On(ComputeDevice device) =>
        tables.GetValue(device, target => new RangeTables(target, this));
}
