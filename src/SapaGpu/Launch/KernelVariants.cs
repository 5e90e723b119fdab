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

/// <summary>
/// Which of a kernel's instantiations runs: the choices that are compiled in. Choosing them happens here and nowhere
/// else.
/// </summary>
/// <param name="VectorBits">The vector width of a vector program; 0 for a thread-group program.</param>
/// <param name="Window">The window that is compiled in; 0 for any.</param>
/// <param name="Scale">The ratio that is compiled in.</param>
/// <param name="Border">The border rule; moved windows are a matter of the ratio.</param>
/// <param name="Normalisation">How scores become weights.</param>
/// <param name="EmbeddingVectors">Whether channels of query and key are accessed four at a time.</param>
/// <param name="ValueVectors">Whether channels of value and output are accessed four at a time.</param>
internal readonly record struct KernelVariant(
    int VectorBits,
    int Window,
    ScaleChoice Scale,
    BorderRule Border,
    ScoreNormalisation Normalisation,
    bool EmbeddingVectors,
    bool ValueVectors)
{
    /// <summary>Chooses for a device and an operator that knows no windows.</summary>
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
        var choice = Choose(device, embeddingVectors, valueVectors) with
        {
            Border = border == BorderRule.Shifted ? BorderRule.ZeroLogit : border,
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
    /// The variant that stands in for one that is too rare to be compiled for itself: softmax with the borders of the
    /// papers has kernels for fixed windows and ratios, everything else runs those for any.
    /// </summary>
    public KernelVariant OrGeneric()
    {
        bool common = Normalisation == ScoreNormalisation.Softmax && Border != BorderRule.Replicate;
        if (!common)
            return this with { Window = 0, Scale = ScaleChoice.AnyRatio };
        return Scale == ScaleChoice.AnyRatio ? this with { Window = 0 } : this;
    }

    /// <summary>Says in words what an operator without windows chooses.</summary>
    public string DescribeAccess() => VectorBits > 0
        ? $"vector program, {VectorBits} bits"
        : $"thread-group program, input {Access(EmbeddingVectors)}, output {Access(ValueVectors)}";

    /// <summary>Says the choice in words.</summary>
    public override string ToString() => VectorBits > 0
        ? $"vector program, {VectorBits} bits, border {Border}, {Normalisation}"
        : $"thread-group program, window {(Window == 0 ? "any" : $"{Window}")}, ratio {Text(Scale)}, border {Border}, " +
          $"{Normalisation}, embedding {Access(EmbeddingVectors)}, value {Access(ValueVectors)}";

    /// <summary>The error for a choice that no kernel is made for.</summary>
    public static ArgumentOutOfRangeException Unknown<TChoice>(TChoice choice) =>
        new(nameof(choice), choice, "No kernel is made for this choice.");

    private static string Text(ScaleChoice choice) => choice switch
    {
        ScaleChoice.Scale2 => "2",
        ScaleChoice.AnyScale => "any integer",
        _ => "any",
    };

    private static string Access(bool vectors) => vectors ? "by vectors" : "strided";
}

/// <summary>The kernels of one contract, by variant, each closed at its first use.</summary>
internal sealed class VariantTable<TParameters>(Func<KernelVariant, ILaunchable<TParameters>> create)
    where TParameters : struct
{
    private readonly ConcurrentDictionary<KernelVariant, ILaunchable<TParameters>> known = new();

    public ILaunchable<TParameters> this[KernelVariant variant] =>
        known.TryGetValue(variant, out var launchable) ? launchable : known.GetOrAdd(variant, create);

    /// <summary>Queues the kernel of a device that needs no further choice.</summary>
    public void Launch(ComputeDevice device, in TParameters parameters) =>
        this[KernelVariant.Choose(device)].Launch(device.Launcher, in parameters);
}
