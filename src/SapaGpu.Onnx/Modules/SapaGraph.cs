using SapaGpu.Onnx.Decomposition;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>
/// The graph of a SAPA upsampler. As in the module, what the query takes from the decoder is projected at low resolution.
/// </summary>
internal sealed class SapaGraph
{
    private readonly OnnxGraph graph;
    private readonly SapaOptions options;
    private readonly FloatLayers layers;

    private SapaGraph(OnnxGraph graph, SapaOptions options, IReadOnlyList<Parameter> parameters)
    {
        this.graph = graph;
        this.options = options;
        layers = new FloatLayers(graph, parameters);
    }

    public static byte[] Create<T>(SapaUpsampler<T> module, OnnxExportOptions export)
        where T : unmanaged
    {
        var graph = new OnnxGraph("SapaUpsampler", TensorTypes.Of(ElementTypes.Of<T>()));
        new SapaGraph(graph, module.Options, module.Parameters).Write(export);
        return graph.ToFile();
    }

    private void Write(OnnxExportOptions export)
    {
        string encoder = graph.Input("encoder", "B", options.EncoderChannels, "OH", "OW");
        string decoder = graph.Input("decoder", "B", options.DecoderChannels, "H", "W");
        string wide = layers.Widen(decoder);
        string y = Normalise(layers.Widen(encoder), "norm_y");
        string x = Normalise(wide, "norm_x");
        string key = options.Similarity == Similarity.InnerProduct ? x : layers.Convolve(x, "k");
        string query = layers.Narrow(Query(y, wide, x));
        string value = options.ValueChannels is null ? decoder : layers.Narrow(layers.Convolve(x, "v"));
        string result = WindowNode.Attention(graph, query, layers.Narrow(key), value, options.Attention, export);
        graph.Output(result, "output", "B", options.OutputChannels, "OH", "OW");
    }

    private string Query(string y, string decoder, string x)
    {
        var nodes = graph.Nodes;
        switch (options.Similarity)
        {
            case Similarity.InnerProduct:
                return y;
            case Similarity.Bilinear:
                return layers.Convolve(y, "q");
            case Similarity.Concatenated:
                string own = layers.Project(y, "q", ..options.EncoderChannels, "encoder", hasBias: true);
                string other = layers.Project(decoder, "q", options.EncoderChannels.., "decoder", hasBias: false);
                return nodes.Add("Add", own, NearestCell.Upsample(nodes, other, y));
            case Similarity.GatedBilinear:
                string gate = nodes.Add("Sigmoid", layers.Convolve(x, "gate"));
                string rest = nodes.Add("Sub", nodes.Number(1), gate);
                string fromDecoder = nodes.Add("Mul", rest, layers.Convolve(decoder, "qx"));
                string fromEncoder = nodes.Add("Mul", NearestCell.Upsample(nodes, gate, y), layers.Convolve(y, "qy"));
                return nodes.Add("Add", fromEncoder, NearestCell.Upsample(nodes, fromDecoder, y));
            default:
                throw new NotSupportedException($"The similarity {options.Similarity} cannot be exported.");
        }
    }

    private string Normalise(string map, string name) =>
        layers.Normalise(map, name, options.FeatureNorm, options.NormGroups, options.Epsilon);
}
