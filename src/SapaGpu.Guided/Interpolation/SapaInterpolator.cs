
namespace SapaGpu.Guided;

/// <summary>
/// Every pixel takes a mean of the cells around its own, weighted by similarity of colour and by distance: window
/// attention on <see cref="LiftedFeatures"/>, without learned weights.
/// </summary>
/// <remarks>
/// The operator is called with an integer scale: the pixels of a cell are packed into a square block of slots, as large
/// as the cell with most pixels needs, with their true positions as features. Results of unused slots are dropped. No
/// pixel is resampled.
/// </remarks>
internal sealed class SapaInterpolator : IInterpolator
{
    /// <summary>The bytes that the device may keep for later rectangles.</summary>
    private const long LargestPool = 64L << 20;

    private readonly ComputeDevice device;
    private readonly CellGrid grid;
    private readonly LiftedFeatures features;
    private readonly WindowAttentionOptions options;
    private readonly ReusableBuffer keyBuffer = new();
    private readonly ReusableBuffer queryBuffer = new();
    private readonly ReusableBuffer packedBuffer = new();

    /// <summary>Prepares the interpolation guided by a photo.</summary>
    public SapaInterpolator(ComputeDevice device, CellGrid grid, LiftedFeatures features, int window)
    {
        this.device = device;
        this.grid = grid;
        this.features = features;
        options = new WindowAttentionOptions { Window = window, Border = BorderRule.Masked };
    }

    public int Reach => options.Window / 2;

    public int WorkingChannels => LiftedFeatures.Channels;

    public void Interpolate(
        Region cells, Region surroundings, int channels, ReadOnlySpan<float> values, Span<float> output)
    {
        int scale = grid.Scale;
        int height = surroundings.Height * scale, width = surroundings.Width * scale;
        var keys = keyBuffer.Take(surroundings.Count * LiftedFeatures.Channels);
        var queries = queryBuffer.Take((long)height * width * LiftedFeatures.Channels);
        features.FillKeys(surroundings, keys.Span);
        features.FillQueries(cells, surroundings, queries);

        using var query = From(new MapShape(1, LiftedFeatures.Channels, height, width), queries.Span);
        using var key = From(
            new MapShape(1, LiftedFeatures.Channels, surroundings.Height, surroundings.Width), keys.Span);
        using var value = From(new MapShape(1, channels, surroundings.Height, surroundings.Width), values);
        using var result = WindowAttention.Forward(query, key, value, options);
        var packed = packedBuffer.Take(result.Shape.ElementCount);
        result.CopyTo(packed.Span);
        features.Unpack(cells, surroundings, channels, packed.Span, output);
        if (device.HeldBytes > LargestPool)
            device.TrimMemory();
    }

    private FeatureMap<float> From(MapShape shape, ReadOnlySpan<float> values) =>
        FeatureMap<float>.From(device, shape, values, MemoryFormat.ChannelsLast);
}
