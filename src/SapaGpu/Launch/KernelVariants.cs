using System.Collections.Concurrent;
using SapaGpu.Kernels;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// Which of a kernel's instantiations runs: the choices that are compiled in. Choosing them happens here and nowhere
/// else.
/// </summary>
/// <param name="VectorBits">The vector width of a vector program; 0 for a thread-group program.</param>
/// <param name="Window">The window that is compiled in; 0 for any.</param>
/// <param name="Scale">The scale that is compiled in; 0 for any.</param>
/// <param name="Border">The border rule.</param>
/// <param name="EmbeddingVectors">Whether channels of query and key are accessed four at a time.</param>
/// <param name="ValueVectors">Whether channels of value and output are accessed four at a time.</param>
internal readonly record struct KernelVariant(
    int VectorBits, int Window, int Scale, BorderRule Border, bool EmbeddingVectors, bool ValueVectors)
{
    /// <summary>Chooses for a device and a problem.</summary>
    public static KernelVariant Choose(
        Device device, int window, int scale, BorderRule border, bool embeddingVectors, bool valueVectors) =>
        device.RunsVectorPrograms
            ? new(device.Options.VectorBits, 0, 0, border, false, false)
            : new(
                0,
                OpSupport.FastWindows.Contains(window) ? window : 0,
                scale == OpSupport.FastScale ? scale : 0,
                border,
                embeddingVectors,
                valueVectors);

    /// <summary>Says the choice in words.</summary>
    public override string ToString() => VectorBits > 0
        ? $"vector program, {VectorBits} bits, border {Border}"
        : $"thread-group program, window {Text(Window)}, scale {Text(Scale)}, border {Border}, " +
          $"embedding {Access(EmbeddingVectors)}, value {Access(ValueVectors)}";

    private static string Text(int choice) => choice == 0 ? "any" : $"{choice}";

    private static string Access(bool vectors) => vectors ? "by vectors" : "strided";
}

/// <summary>Turns choices into kernels: closes the open generic types of <c>SapaGpu.Kernels</c>, once each.</summary>
internal static class KernelVariants
{
    /// <summary>Closes a thread-group program.</summary>
    public static ILaunchable<TParameters> Group<TParameters>(Type openKernel, params Type[] arguments)
        where TParameters : struct =>
        Create<TParameters>(typeof(GroupLaunchable<,>), openKernel.MakeGenericType(arguments));

    /// <summary>Closes a vector program.</summary>
    public static ILaunchable<TParameters> Tiles<TParameters>(Type openProgram, params Type[] arguments)
        where TParameters : struct =>
        Create<TParameters>(typeof(TileLaunchable<,>), openProgram.MakeGenericType(arguments));

    public static Type Window(int window) => window switch
    {
        3 => typeof(Window3),
        5 => typeof(Window5),
        7 => typeof(Window7),
        _ => typeof(AnyWindow),
    };

    public static Type Scale(int scale) => scale == 2 ? typeof(Scale2) : typeof(AnyScale);

    public static Type Border(BorderRule border) =>
        border == BorderRule.Masked ? typeof(MaskedBorder) : typeof(ZeroLogitBorder);

    public static Type Access(bool vectors) => vectors ? typeof(VectorAccess) : typeof(StridedAccess);

    /// <summary>The vector arithmetic of a width, and its vector, on float or double.</summary>
    public static (Type Simd, Type Vector) Simd(int vectorBits, Type lane) => vectorBits switch
    {
        512 => (typeof(Simd512<>).MakeGenericType(lane), typeof(System.Runtime.Intrinsics.Vector512<>).MakeGenericType(lane)),
        256 => (typeof(Simd256<>).MakeGenericType(lane), typeof(System.Runtime.Intrinsics.Vector256<>).MakeGenericType(lane)),
        _ => (typeof(Simd128<>).MakeGenericType(lane), typeof(System.Runtime.Intrinsics.Vector128<>).MakeGenericType(lane)),
    };

    /// <summary>The first type arguments of every vector program: arithmetic, storage, accumulator, vector.</summary>
    public static Type[] SimdArguments<TStorage, TAccumulator>(KernelVariant variant)
    {
        var (simd, vector) = Simd(variant.VectorBits, typeof(TAccumulator));
        return [simd, typeof(TStorage), typeof(TAccumulator), vector];
    }

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
}
