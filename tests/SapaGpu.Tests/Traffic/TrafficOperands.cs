using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simt;
using SapaGpu.Launch;

namespace SapaGpu.Tests.Traffic;

/// <summary>The operands of window attention on the emulator, and its kernels with traced accesses.</summary>
internal sealed class TrafficOperands : IDisposable
{
    private readonly ComputeDevice device;
    private readonly WindowShape shape;
    private readonly WindowExtent extent;
    private readonly FeatureMap<float> query, key, value, output, gradQuery, gradKey, gradValue, normaliser, weights, gradScores;

    public TrafficOperands(ComputeDevice device, WindowShape shape, MemoryFormat format)
    {
        this.device = device;
        this.shape = shape;
        extent = shape.Extent(BorderRule.ZeroLogit);
        query = FeatureMap<float>.Create(device, shape.QueryShape, format);
        key = FeatureMap<float>.Create(device, shape.KeyShape, format);
        value = FeatureMap<float>.Create(device, shape.ValueShape, format);
        output = FeatureMap<float>.Create(device, shape.OutputShape, format);
        gradQuery = FeatureMap<float>.Create(device, shape.QueryShape, format);
        gradKey = FeatureMap<float>.Create(device, shape.KeyShape, format);
        gradValue = FeatureMap<float>.Create(device, shape.ValueShape, format);
        normaliser = FeatureMap<float>.Create(
            device, new MapShape(shape.QueryShape.Batch, 1, shape.QueryShape.Height, shape.QueryShape.Width));
        weights = FeatureMap<float>.Create(device, shape.WeightsShape);
        gradScores = FeatureMap<float>.Create(device, shape.WeightsShape);
        foreach (var tensor in new[] { query, key, value, output, normaliser, weights })
            tensor.Clear();
    }

    /// <summary>Counts what a tile of the forward accesses.</summary>
    public (AccessCounts Counts, long FloorBytes) Forward<TAccess>()
        where TAccess : struct, IChannelAccess
    {
        var tiling = Tiling<TAccess>(arrays: 1);
        var parameters = new WindowAttentionParameters<float, float>
        {
            Extent = extent,
            Band = shape.WholeBand,
            Tiling = tiling,
            Query = query.Map<float>(),
            Key = key.Map<float>(),
            Value = value.Map<float>(),
            Output = output.Map<float>(),
            Normaliser = normaliser.Map<float>(),
        };
        var counts = AccessTrace.Of(Middle(in tiling), () => device.Launcher.Group<
            WindowAttentionForward<Float32Element, float, float, Window5, Scale2, ZeroLogitBorder, SoftmaxNormalisation,
                TracedAccess<TAccess>, TracedAccess<TAccess>>,
            WindowAttentionParameters<float, float>>(in parameters));
        return (counts, Bytes(tiling.Cells, Cell(Embedding: 5, Value: 5)));
    }

    /// <summary>Counts what a tile of the first pass of the backward accesses.</summary>
    public (AccessCounts Counts, long FloorBytes) Backward<TAccess>()
        where TAccess : struct, IChannelAccess
    {
        var tiling = Tiling<TAccess>(arrays: 2);
        var parameters = new WindowAttentionBackwardParameters<float, float>
        {
            Extent = extent,
            Band = shape.WholeBand,
            Tiling = tiling,
            Query = query.Map<float>(),
            Key = key.Map<float>(),
            Value = value.Map<float>(),
            GradOutput = output.Map<float>(),
            Normaliser = normaliser.Map<float>(),
            GradQuery = gradQuery.Map<float>(),
            Weights = weights.Map<float>(),
            GradScores = gradScores.Map<float>(),
            NeedsGradQuery = 1,
            NeedsWeights = 1,
            NeedsGradScores = 1,
        };
        var counts = AccessTrace.Of(Middle(in tiling), () => device.Launcher.Group<
            WindowAttentionBackward<Float32Element, float, float, Float32Element, Window5, Scale2, ZeroLogitBorder,
                SoftmaxNormalisation, TracedAccess<TAccess>, TracedAccess<TAccess>>,
            WindowAttentionBackwardParameters<float, float>>(in parameters));
        return (counts, Bytes(tiling.Cells, Cell(Embedding: 9, Value: 5)));
    }

    /// <summary>Counts what a group of the gradient of the value accesses.</summary>
    public (AccessCounts Counts, long FloorBytes) ValueGradient<TAccess>()
        where TAccess : struct, IChannelAccess
    {
        var parameters = new TransposedReassemblyParameters<float, float>
        {
            Extent = extent,
            Band = shape.WholeBand,
            Weights = weights.Map<float>(),
            Source = output.Map<float>(),
            Result = gradValue.Map<float>(),
        };
        long groups = TransposedReassembly<
            Float32Element, float, float, Float32Element, float, Window5, Scale2, TAccess>.GroupCount(in parameters);
        var counts = AccessTrace.Of((int)groups / 2, () => device.Launcher.Group<
            TransposedReassembly<
                Float32Element, float, float, Float32Element, float, Window5, Scale2, TracedAccess<TAccess>>,
            TransposedReassemblyParameters<float, float>>(in parameters));
        long all = shape.ValueShape.ElementCount + shape.OutputShape.ElementCount;
        return (counts, all * sizeof(float) / groups);
    }

    public void Dispose()
    {
        foreach (var tensor in new[]
            { query, key, value, output, gradQuery, gradKey, gradValue, normaliser, weights, gradScores })
        {
            tensor.Dispose();
        }
    }

    private static int Middle(in CellTiling tiling) =>
        tiling.TilesDown / 2 * tiling.TilesAcross + tiling.TilesAcross / 2;

    private static long Bytes(int cells, int channels) => (long)cells * channels * sizeof(float);

    // Channels of query resolution count four times.
    private int Cell(int Embedding, int Value) =>
        Embedding * extent.EmbeddingChannels + Value * extent.ValueChannels;

    private CellTiling Tiling<TAccess>(int arrays)
        where TAccess : struct, IChannelAccess =>
        WindowKernels.Tiling<Float32Element, float, float>(shape, shape.WholeBand, arrays, TAccess.ChannelsFastest);
}
