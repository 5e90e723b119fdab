using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Launch;

/// <summary>Which ratios of the maps a kernel is made for.</summary>
internal enum ScaleChoice
{
    /// <summary>Any ratio, and windows that are moved inside the map.</summary>
    AnyRatio,

    /// <summary>Any integer ratio.</summary>
    AnyScale,

    /// <summary>A ratio of 2.</summary>
    Scale2,
}

/// <summary>The format in which matrix units multiply.</summary>
internal enum MatrixChoice
{
    /// <summary>None: products are those of threads.</summary>
    None,

    /// <summary>IEEE half precision.</summary>
    Float16,

    /// <summary>The upper half of single precision.</summary>
    BFloat16,
}

/// <summary>The tiles of queries that a program of cross-resolution attention works on.</summary>
internal enum TileChoice
{
    /// <summary>None: runs of queries.</summary>
    None,

    /// <summary>Tiles of a head, which has channels of its own.</summary>
    SplitHeads,

    /// <summary>Tiles of all heads, whose weights are averaged.</summary>
    AveragedHeads,
}

/// <summary>
/// The instantiation of a kernel that runs: the choices that are compiled in. They are made here and nowhere else.
/// </summary>
/// <param name="VectorBits">The vector width of a vector program; 0 for a thread-group program.</param>
/// <param name="Window">The window that is compiled in; 0 for any.</param>
/// <param name="Scale">The ratio that is compiled in.</param>
/// <param name="Border">The border rule; shifted windows are handled by the ratio.</param>
/// <param name="Normalisation">How scores become weights.</param>
/// <param name="EmbeddingVectors">Whether channels of query and key are accessed four at a time.</param>
/// <param name="ValueVectors">Whether channels of value and output are accessed four at a time.</param>
/// <param name="CellPairs">Whether a thread-group program works on cell pairs, which fixed windows have programs for.</param>
/// <param name="Matrix">The format in which a program on cell pairs, or tiles of queries, multiplies by matrix units.</param>
/// <param name="Tiles">The tiles of queries that cross-resolution attention has programs for.</param>
internal readonly record struct KernelVariant(
    int VectorBits,
    int Window,
    ScaleChoice Scale,
    BorderRule Border,
    ScoreNormalisation Normalisation,
    bool EmbeddingVectors,
    bool ValueVectors,
    bool CellPairs = false,
    MatrixChoice Matrix = MatrixChoice.None,
    TileChoice Tiles = TileChoice.None)
{
    /// <summary>Chooses for a device and an operator without windows.</summary>
    public static KernelVariant Choose(
        ComputeDevice device, bool inputVectors = false, bool outputVectors = false) => new(
        device.RunsVectorPrograms ? device.Options.VectorBits : 0,
        0,
        ScaleChoice.AnyRatio,
        BorderRule.ZeroLogit,
        ScoreNormalisation.Softmax,
        !device.RunsVectorPrograms && inputVectors,
        !device.RunsVectorPrograms && outputVectors);

    /// <summary>
    /// Chooses for a device and an operator whose lanes are over a few channels: vectors that are wider than there are
    /// channels would be filled by halves, or not at all.
    /// </summary>
    public static KernelVariant Fitting<TReal>(ComputeDevice device, int channels)
        where TReal : unmanaged => Fitting(device, channels, Unsafe.SizeOf<TReal>());

    /// <inheritdoc cref="Fitting{TReal}"/>
    /// <param name="device">The device.</param>
    /// <param name="channels">The channels.</param>
    /// <param name="laneBytes">The bytes of a lane.</param>
    public static KernelVariant Fitting(ComputeDevice device, int channels, int laneBytes)
    {
        const int Narrowest = 128;
        var variant = Choose(device);
        int bits = variant.VectorBits;
        while (bits > Narrowest && bits > channels * laneBytes * 8)
            bits /= 2;
        return variant with { VectorBits = bits };
    }

    /// <summary>Chooses for a device and a window problem.</summary>
    public static KernelVariant Choose(
        ComputeDevice device,
        in WindowExtent extent,
        BorderRule border,
        ScoreNormalisation normalisation,
        bool embeddingVectors,
        bool valueVectors)
    {
        // Where scores are the weights, a tap of score 0 is one that is left out.
        bool isZero = border == BorderRule.Shifted
            || (border == BorderRule.Masked && normalisation == ScoreNormalisation.None);
        var choice = Choose(device, embeddingVectors, valueVectors) with
        {
            Border = isZero ? BorderRule.ZeroLogit : border,
            Normalisation = normalisation,
        };
        if (device.RunsVectorPrograms)
            return choice;
        choice = choice with
        {
            Window = OperatorSupport.FastWindows.Contains(extent.Window) ? extent.Window : 0,
            Scale = !extent.IsUniform
                ? ScaleChoice.AnyRatio
                : extent.Rows.Scale == OperatorSupport.FastScale && extent.Columns.Scale == OperatorSupport.FastScale
                    ? ScaleChoice.Scale2
                    : ScaleChoice.AnyScale,
        };
        return choice.OrGeneric();
    }

    /// <summary>
    /// The variant that is compiled for this one: softmax with the border of the papers or a masked one has kernels for
    /// fixed windows and ratios, everything else runs the kernels for any window and ratio.
    /// </summary>
    public KernelVariant OrGeneric()
    {
        bool common = Normalisation == ScoreNormalisation.Softmax && Border != BorderRule.Replicate;
        if (!common)
            return this with { Window = 0, Scale = ScaleChoice.AnyRatio };
        return Scale == ScaleChoice.AnyRatio ? this with { Window = 0 } : this;
    }

    /// <summary>Describes the choice for an operator without windows.</summary>
    public string DescribeAccess() => VectorBits > 0
        ? $"vector program, {VectorBits} bits"
        : $"thread-group program, input {Access(EmbeddingVectors)}, output {Access(ValueVectors)}";

    /// <summary>Describes the choice.</summary>
    public override string ToString() => VectorBits > 0
        ? $"vector program, {VectorBits} bits, border {Border}, {Normalisation}"
        : $"thread-group program, window {(Window == 0 ? "any" : $"{Window}")}, ratio {Text(Scale)}, border {Border}, " +
          $"{Normalisation}, embedding {Access(EmbeddingVectors)}, value {Access(ValueVectors)}" +
          (Matrix == MatrixChoice.None ? string.Empty : ", matrix units");

    /// <summary>The error for a choice that has no kernel.</summary>
    public static ArgumentOutOfRangeException Unknown<TChoice>(TChoice choice) =>
        new(nameof(choice), choice, "There is no kernel for this choice.");

    private static string Text(ScaleChoice choice) => choice switch
    {
        ScaleChoice.Scale2 => "2",
        ScaleChoice.AnyScale => "any integer",
        _ => "any",
    };

    private static string Access(bool vectors) => vectors ? "by vectors" : "strided";
}

/// <summary>The kernels of one parameter block by variant, each created at its first use.</summary>
internal sealed class VariantTable<TParameters>(Func<KernelVariant, ILaunchable<TParameters>> create)
    where TParameters : struct
{
    private readonly ConcurrentDictionary<KernelVariant, ILaunchable<TParameters>> known = new();

    public ILaunchable<TParameters> this[KernelVariant variant] =>
        known.TryGetValue(variant, out var launchable) ? launchable : known.GetOrAdd(variant, create);

    /// <summary>Queues the kernel that needs no choice but the device.</summary>
    public void Launch(ComputeDevice device, in TParameters parameters) =>
        this[KernelVariant.Choose(device)].Launch(device.Launcher, in parameters);
}
