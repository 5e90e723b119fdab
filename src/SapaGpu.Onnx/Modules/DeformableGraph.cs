using SapaGpu.Onnx.Decomposition;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>The graph of a SAPA-D upsampler. With the offsets of cells it serves any ratio, not that of the module only.</summary>
internal static class DeformableGraph
{
    public static byte[] Create<T>(SapaDeformableUpsampler<T> module, OnnxExportOptions export)
        where T : unmanaged
    {
        var options = module.Options;
        var graph = new OnnxGraph("SapaDeformableUpsampler", TensorTypes.Of(ElementTypes.Of<T>()));
        var layers = new FloatLayers(graph, module.Parameters);
        var (height, width) = options.HighResolutionOffsets ? ($"{options.Scale}*H", $"{options.Scale}*W") : ("OH", "OW");
        string encoder = graph.Input("encoder", "B", options.EncoderChannels, height, width);
        string decoder = graph.Input("decoder", "B", options.DecoderChannels, "H", "W");
        string y = Normalise(encoder, "norm_y");
        string x = Normalise(decoder, "norm_x");
        string query = layers.Convolve(y, "q");
        string key = layers.Convolve(x, "k");
        string cells = layers.Convolve(x, "offset");
        string offsets = options.HighResolutionOffsets
            ? layers.ShufflePixels(cells, options.Scale)
            : NearestCell.Upsample(graph.Nodes, cells, y);
        string result = DeformableNode.Attention(
            graph, layers.Narrow(query), layers.Narrow(key), decoder, layers.Narrow(offsets), options.Attention, export);
        graph.Output(result, "output", "B", options.DecoderChannels, height, width);
        return graph.ToFile();

        string Normalise(string map, string name) =>
            layers.Normalise(layers.Widen(map), name, options.FeatureNorm, options.NormGroups, options.Epsilon);
    }
}
