using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>
/// How a map lies in memory: its format, and what there is of a larger map before and behind it in each dimension.
/// </summary>
internal readonly record struct Placement(MemoryFormat Format, int Images, int Channels, int Rows, int Columns)
{
    public static Placement Dense { get; }

    /// <summary>Dense as often as not; else images, channels or a crop of a larger map, or all of it.</summary>
    public static Placement Of(Draw draw, Draw kernel)
    {
        var format = kernel.Enum<MemoryFormat>();
        return draw.Int(0, 7) switch
        {
            0 => new(format, 1, 0, 0, 0),
            1 => new(format, 0, draw.Of(1, 4, 8), 0, 0),
            2 => new(format, 0, 0, draw.Int(0, 3), draw.Of(1, 4)),
            3 => new(format, draw.Int(0, 1), draw.Int(0, 4), draw.Int(0, 3), draw.Int(0, 3)),
            _ => new(format, 0, 0, 0, 0),
        };
    }

    /// <summary>The shape of the larger map.</summary>
    public MapShape Around(MapShape shape) => new(
        shape.Batch + Both(Images), shape.Channels + Both(Channels), shape.Height + Both(Rows), shape.Width + Both(Columns));

    public override string ToString() => this == Dense with { Format = Format }
        ? $"{Format}"
        : $"{Format}, behind {Images} images, {Channels} channels, {Rows} rows, {Columns} columns of a larger map";

    private static int Both(int before) => before == 0 ? 0 : before + 1;
}
