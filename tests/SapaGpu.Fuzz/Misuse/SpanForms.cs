using System.Numerics.Tensors;

namespace SapaGpu.Fuzz.Misuse;

/// <summary>
/// The public members that take or return spans, which reflection cannot call, with arrays in their place. Each has the
/// name of its member; what would be called on null is refused here.
/// </summary>
internal static class SpanForms
{
    public static int AsSpan<T>(FeatureMap<T> map)
        where T : unmanaged => NotNull(map).AsSpan().Length;

    public static void CopyFrom<T>(FeatureMap<T> map, T[] values)
        where T : unmanaged => NotNull(map).CopyFrom(values);

    public static void CopyTo<T>(FeatureMap<T> map, T[] values)
        where T : unmanaged => NotNull(map).CopyTo(values);

    public static FeatureMap<T> From<T>(ComputeDevice device, MapShape shape, T[] values, MemoryFormat format)
        where T : unmanaged => FeatureMap<T>.From(device, shape, values, format);

    public static void Write(Parameter parameter, double[] values) => NotNull(parameter).Write(values);

    public static StateEntry StateEntry(string name, int[] dimensions, CheckpointType type, byte[] bytes) =>
        new(name, dimensions.AsSpan(), type, bytes);

    public static StateEntry FromDoubles(string name, int[] dimensions, double[] values, CheckpointType type) =>
        SapaGpu.StateEntry.FromDoubles(name, dimensions, values, type);

    public static nint AsTensorSpan<T>(FeatureMap<T> map)
        where T : unmanaged => map.AsTensorSpan().FlattenedLength;

    public static FeatureMap<T> ToFeatureMap<T>(T[] values, int[] dimensions, ComputeDevice device, MemoryFormat format)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(dimensions);
        var lengths = Array.ConvertAll(dimensions, length => (nint)length);
        return new ReadOnlyTensorSpan<T>(values, lengths).ToFeatureMap(device, format);
    }

    public static void Upsample(
        byte[] guide,
        int guideHeight,
        int guideWidth,
        float[] map,
        int height,
        int width,
        int channels,
        float[] result,
        GuidedOptions? options,
        IProgress<double>? progress,
        CancellationToken cancellation) => GuidedUpsampler.Upsample(
        new PhotoSpan(guide, guideHeight, guideWidth), new MapSpan<float>(map, height, width, channels), result.AsSpan(), options, progress, cancellation);

    public static void UpsampleToClasses(
        byte[] guide,
        int guideHeight,
        int guideWidth,
        float[] map,
        int height,
        int width,
        int channels,
        byte[] result,
        GuidedOptions? options,
        IProgress<double>? progress,
        CancellationToken cancellation) => GuidedUpsampler.UpsampleToClasses(
        new PhotoSpan(guide, guideHeight, guideWidth), new MapSpan<float>(map, height, width, channels), result.AsSpan(), options, progress, cancellation);

    public static int PhotoSpan(byte[] samples, int height, int width) => new PhotoSpan(samples, height, width).Height;

    public static int MapSpan(float[] values, int height, int width, int channels) =>
        new MapSpan<float>(values, height, width, channels).Height;

    public static AxisRanges Of(int cells, int[] firsts, int[] ends)
    {
        ArgumentNullException.ThrowIfNull(firsts);
        ArgumentNullException.ThrowIfNull(ends);
        return AxisRanges.Of(cells, [.. firsts.Zip(ends)]);
    }

    private static TMember NotNull<TMember>(TMember? member)
        where TMember : class
    {
        ArgumentNullException.ThrowIfNull(member);
        return member;
    }
}
