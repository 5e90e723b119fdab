using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>The graph of a CARAFE upsampler.</summary>
internal static class CarafeGraph
{
    public static byte[] Create<T>(CarafeUpsampler<T> module, OnnxExportOptions export)
        where T : unmanaged
    {
        var options = module.Options;
        var graph = new OnnxGraph("CarafeUpsampler", TensorTypes.Of(ElementTypes.Of<T>()));
        var layers = new FloatLayers(graph, module.Parameters);
        var nodes = graph.Nodes;
        string features = graph.Input("features", "B", options.Channels, "H", "W");
        string compressed = layers.Convolve(layers.Widen(features), "channel_compressor");
        string code = layers.Convolve(compressed, "content_encoder", options.EncoderDilation);
        string scores = layers.ShufflePixels(code, options.Scale);
        int taps = options.Window * options.Window;
        string grouped = nodes.Reshape(
            scores, nodes.Size(scores, 0), nodes.Vector(options.Groups, taps), nodes.Size(scores, 2), nodes.Size(scores, 3));
        string weights = nodes.Add("Softmax", [grouped], OnnxAttribute.Of("axis", 2L));
        string masks = nodes.Add("Reshape", weights, nodes.Add("Shape", scores));
        var reassembly = new WindowAttentionOptions { Window = options.Window, Heads = options.Groups };
        string result = WindowNode.Reassembly(
            graph, layers.Narrow(masks), features, reassembly, export with { Ratio = OnnxRatio.Integer });
        graph.Output(result, "output", "B", options.Channels, $"{options.Scale}*H", $"{options.Scale}*W");
        return graph.ToFile();
    }
}
