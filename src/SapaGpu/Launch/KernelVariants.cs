using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

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

    private static string Text(ScaleChoice choice) => choice switch
    {
        ScaleChoice.Scale2 => "2",
        ScaleChoice.AnyScale => "any integer",
        _ => "any",
    };

    private static string Access(bool vectors) => vectors ? "by vectors" : "strided";
}

/// <summary>Turns choices into kernels: closes the open generic types of <c>SapaGpu.Kernels</c>, once each.</summary>
internal static class KernelVariants
{
    /// <summary>Closes a thread-group program.</summary>
    public static ILaunchable<TParameters> Group<TParameters>(Type openKernel, params Type[] arguments)
        where TParameters : struct =>
        Create<TParameters>(
            typeof(GroupLaunchable<,>), arguments.Length > 0 ? openKernel.MakeGenericType(arguments) : openKernel);

    /// <summary>Closes a vector program.</summary>
    public static ILaunchable<TParameters> Tiles<TParameters>(Type openProgram, params Type[] arguments)
        where TParameters : struct =>
        Create<TParameters>(
            typeof(TileLaunchable<,>), arguments.Length > 0 ? openProgram.MakeGenericType(arguments) : openProgram);

    public static Type Window(int window) => window switch
    {
        3 => typeof(Window3),
        5 => typeof(Window5),
        7 => typeof(Window7),
        0 => typeof(AnyWindow),
        _ => throw Unknown(window),
    };

    public static Type Scale(ScaleChoice scale) => scale switch
    {
        ScaleChoice.Scale2 => typeof(Scale2),
        ScaleChoice.AnyScale => typeof(AnyScale),
        ScaleChoice.AnyRatio => typeof(AnyRatio),
        _ => throw Unknown(scale),
    };

    public static Type Border(BorderRule border) => border switch
    {
        BorderRule.Masked => typeof(MaskedBorder),
        BorderRule.Replicate => typeof(ReplicateBorder),
        BorderRule.ZeroLogit => typeof(ZeroLogitBorder),

        // That windows are moved is a matter of the ratio; none of their taps lies outside.
        BorderRule.Shifted => typeof(ZeroLogitBorder),
        _ => throw Unknown(border),
    };

    public static Type Normalisation(ScoreNormalisation normalisation) => normalisation switch
    {
        ScoreNormalisation.Sigmoid => typeof(SigmoidNormalisation),
        ScoreNormalisation.None => typeof(NoNormalisation),
        ScoreNormalisation.Softmax => typeof(SoftmaxNormalisation),
        _ => throw Unknown(normalisation),
    };

    /// <summary>The table of a map program, which has one variant for every kind of device.</summary>
    public static VariantTable<TParameters> Maps<TParameters>(Type program)
        where TParameters : struct =>
        new(variant => variant.VectorBits > 0
            ? Tiles<TParameters>(typeof(MapTiles<,>), program, typeof(TParameters))
            : Group<TParameters>(typeof(MapKernel<,>), program, typeof(TParameters)));

    public static Type Access(bool vectors) => vectors ? typeof(VectorAccess) : typeof(StridedAccess);

    /// <summary>The vector arithmetic of a width, and its vector, on float or double.</summary>
    public static (Type Simd, Type Vector) Simd(int vectorBits, Type lane) => vectorBits switch
    {
        512 => (typeof(Simd512<>).MakeGenericType(lane), typeof(System.Runtime.Intrinsics.Vector512<>).MakeGenericType(lane)),
        256 => (typeof(Simd256<>).MakeGenericType(lane), typeof(System.Runtime.Intrinsics.Vector256<>).MakeGenericType(lane)),
        // A table that has vector programs only may be asked for all variants, to list what it has.
        0 or 128 => (typeof(Simd128<>).MakeGenericType(lane), typeof(System.Runtime.Intrinsics.Vector128<>).MakeGenericType(lane)),
        _ => throw Unknown(vectorBits),
    };

    /// <summary>The first type arguments of every vector program: arithmetic, storage, accumulator, vector.</summary>
    public static Type[] SimdArguments<TElement, TStorage, TReal>(KernelVariant variant)
    {
        var (simd, vector) = Simd(variant.VectorBits, typeof(TReal));
        if (typeof(TStorage) != typeof(TReal))
            simd = typeof(NarrowSimd<,,>).MakeGenericType(typeof(TElement), simd, vector);
        return [simd, typeof(TStorage), typeof(TReal), vector];
    }

    private static ArgumentOutOfRangeException Unknown<TChoice>(TChoice choice) =>
        new(nameof(choice), choice, "No kernel is made for this choice.");

    private static ILaunchable<TParameters> Create<TParameters>(Type openLaunchable, Type kernel)
        where TParameters : struct =>
        (ILaunchable<TParameters>)Activator.CreateInstance(
            openLaunchable.MakeGenericType(kernel, typeof(TParameters)))!;
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
