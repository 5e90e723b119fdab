using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>The shapes of deformable attention and its halves.</summary>
internal static class DeformableShapes
{
    public static MapShape Weights(FeatureMap offsets, DeformableAttentionOptions options) => new(
        offsets.Shape.Batch, options.Groups * options.Points, offsets.Shape.Height, offsets.Shape.Width);

    public static MapShape Output(FeatureMap value, FeatureMap offsets) => new(
        value.Shape.Batch, value.Shape.Channels, offsets.Shape.Height, offsets.Shape.Width);

    /// <summary>Checks options, features at output resolution if there are any, a map and offsets.</summary>
    /// <exception cref="ArgumentException">The shapes do not match, or do not fit the options.</exception>
    /// <exception cref="NotSupportedException">
    /// The device does not support the element type, or there are too many points.
    /// </exception>
    public static void Check(DeformableAttentionOptions options, Operand features, Operand map, Operand offsets)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckLeast(options);
        if (features.Name is not null)
            ArgumentNullException.ThrowIfNull(features.Map, features.Name);
        ArgumentNullException.ThrowIfNull(map.Map, map.Name);
        ArgumentNullException.ThrowIfNull(offsets.Map, offsets.Name);
        OperandChecks.SameDevice(features, map, offsets);
        SupportChecks.Require(map.Map, features, map, offsets);
        var (low, high) = (map.Map.Shape, offsets.Map.Shape);
        long channels = (long)options.Groups * options.Points * 2;
        if (high.Channels != channels || high.Batch != low.Batch)
        {
            throw new ArgumentException(
                $"'offsets' must be [{low.Batch}, {channels}, OH, OW], with Groups x Points x 2 channels. " +
                OperandChecks.Describe(features, map, offsets),
                offsets.Name);
        }
        if (low.Channels % options.Groups != 0)
        {
            throw new ArgumentException(
                $"The number of channels of '{map.Name}' must be a multiple of the {options.Groups} groups. " +
                OperandChecks.Describe(features, map, offsets),
                map.Name);
        }
        if (features.Map is not null)
        {
            var expected = new MapShape(low.Batch, low.Channels, high.Height, high.Width);
            OperandChecks.Shape(features.Name!, features.Map, expected, features, map, offsets);
        }
        if (4L * high.Height * high.Width * options.Points > int.MaxValue)
        {
            throw new NotSupportedException(
                "A group samples 2^29 or more points in an image (OH x OW x Points); use a smaller output or fewer " +
                "points. " +
                OperandChecks.Describe(features, map, offsets));
        }
    }
    /// <exception cref="ArgumentException">Groups or points are below 1.</exception>
    public static void CheckLeast(DeformableAttentionOptions options)
    {
        if (options.Groups < 1 || options.Points < 1)
        {
            throw new ArgumentException(
                $"Groups and Points must be at least 1; got Groups {options.Groups} and Points {options.Points}.",
                nameof(options));
        }
    }
}
