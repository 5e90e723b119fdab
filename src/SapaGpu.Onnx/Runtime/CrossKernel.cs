namespace SapaGpu.Onnx.Runtime;

/// <summary>A node of <see cref="CrossAttention"/>.</summary>
internal sealed class CrossKernel<T>(OrtApi api, ExecutionProvider provider, CrossNode node)
    : OperatorKernel(api, provider)
    where T : unmanaged
{
    private RangesOfSizes? last;

    public override void Run(OperatorCall call)
    {
        using var query = call.Input<T>(0, "query");
        using var key = call.Input<T>(1, "key");
        using var value = call.Input<T>(2, "value");
        var ranges = Ranges(query.Shape, key.Shape);
        using var output = call.Output<T>(CrossAttention.Shapes(query, key, value, ranges, node.Options, null).Output);
        CrossAttention.Forward(query, key, value, output, ranges, node.Options);
    }

    // Runs of a session mostly have one size.
    private WindowRanges Ranges(MapShape query, MapShape key)
    {
        var sizes = (query.Height, query.Width, key.Height, key.Width);
        var kept = Volatile.Read(ref last);
        if (kept is null || kept.Sizes != sizes)
        {
            kept = new RangesOfSizes(sizes, node.Ranges(query, key));
            Volatile.Write(ref last, kept);
        }
        return kept.Ranges;
    }

    private sealed record RangesOfSizes((int OutputHeight, int OutputWidth, int Height, int Width) Sizes, WindowRanges Ranges);
}
