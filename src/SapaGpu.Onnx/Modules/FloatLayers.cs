using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Modules;

/// <summary>Layers of modules in standard operators, in type float with the parameters of the module as initializers.</summary>
internal sealed class FloatLayers(OnnxGraph graph, IReadOnlyList<Parameter> parameters)
{
    private OnnxNodes Nodes => graph.Nodes;

    /// <summary>Returns a map of the graph in type float.</summary>
    public string Widen(string map) => graph.Type == TensorType.Float32 ? map : Nodes.Cast(map, TensorType.Float32);

    /// <summary>Returns a map of type float in the type of the graph.</summary>
    public string Narrow(string map) => graph.Type == TensorType.Float32 ? map : Nodes.Cast(map, graph.Type);

    /// <summary>Normalises features; without a normalisation they are as they were.</summary>
    public string Normalise(string map, string name, FeatureNormKind kind, int groups, double epsilon) => kind switch
    {
        FeatureNormKind.Layer => LayerNorm(map, name, epsilon),
        FeatureNormKind.Group => GroupNorm(map, name, groups, epsilon),
        _ => map,
    };

    /// <summary>A convolution of stride 1 that keeps the size of the map.</summary>
    public string Convolve(string map, string name, int dilation = 1)
    {
        var weight = Find($"{name}.weight")!;
        // A linear layer has two dimensions.
        int kernel = weight.Shape.Count == 4 ? weight.Shape[2] : 1;
        string matrix = graph.Parameter(weight.Name, [weight.Shape[0], weight.Shape[1], kernel, kernel], Read(weight));
        return Convolve(map, matrix, Vector($"{name}.bias"), kernel, dilation);
    }

    /// <summary>A 1×1 convolution with some of the columns of a matrix.</summary>
    public string Project(string map, string name, Range columns, string part, bool hasBias)
    {
        var weight = Find($"{name}.weight")!;
        int inputs = weight.Shape[1];
        var (start, count) = columns.GetOffsetAndLength(inputs);
        var values = Read(weight);
        var own = new float[weight.Shape[0] * count];
        for (int row = 0; row < weight.Shape[0]; row++)
            values.AsSpan(row * inputs + start, count).CopyTo(own.AsSpan(row * count));
        string matrix = graph.Parameter($"{name}.weight.{part}", [weight.Shape[0], count, 1, 1], own);
        return Convolve(map, matrix, hasBias ? Vector($"{name}.bias") : null, kernel: 1, dilation: 1);
    }

    /// <summary>Channels as pixels, [B, C·s², H, W] to [B, C, s·H, s·W], in the order of pixel shuffle.</summary>
    public string ShufflePixels(string map, int scale) => Nodes.Add(
        "DepthToSpace",
        [map],
        OnnxAttribute.Of("blocksize", (long)scale),
        // Column, row, depth.
        OnnxAttribute.Of("mode", "CRD"));

    private string Convolve(string map, string weight, string? bias, int kernel, int dilation)
    {
        long padding = kernel / 2 * (long)dilation;
        return Nodes.Add(
            "Conv",
            bias is null ? [map, weight] : [map, weight, bias],
            OnnxAttribute.Of("kernel_shape", kernel, kernel),
            OnnxAttribute.Of("dilations", dilation, dilation),
            OnnxAttribute.Of("pads", padding, padding, padding, padding));
    }

    private string LayerNorm(string map, string name, double epsilon)
    {
        string normalised = Nodes.Add(
            "LayerNormalization",
            [Nodes.Transpose(map, 0, 2, 3, 1), Vector($"{name}.weight")!, Vector($"{name}.bias")!],
            OnnxAttribute.Of("axis", -1L),
            OnnxAttribute.Of("epsilon", (float)epsilon));
        return Nodes.Transpose(normalised, 0, 3, 1, 2);
    }

    // A group of an image is what InstanceNormalization calls a channel of one.
    private string GroupNorm(string map, string name, int groups, double epsilon)
    {
        var ones = new float[groups];
        Array.Fill(ones, 1);
        string normalised = Nodes.Add(
            "InstanceNormalization",
            [
                Nodes.Add("Reshape", map, Nodes.Vector(0, groups, -1)),
                graph.Parameter($"{name}.ones", [groups], ones),
                graph.Parameter($"{name}.zeros", [groups], new float[groups]),
            ],
            OnnxAttribute.Of("epsilon", (float)epsilon));
        string image = Nodes.Add("Reshape", normalised, Nodes.Add("Shape", map));
        string scaled = Nodes.Add("Mul", image, PerChannel($"{name}.weight"));
        return Nodes.Add("Add", scaled, PerChannel($"{name}.bias"));
    }

    private string? Vector(string name) =>
        Find(name) is { } parameter ? graph.Parameter(name, parameter.Shape, Read(parameter)) : null;

    private string PerChannel(string name)
    {
        var parameter = Find(name)!;
        return graph.Parameter(name, [parameter.Shape[0], 1, 1], Read(parameter));
    }

    private Parameter? Find(string name) => parameters.FirstOrDefault(parameter => parameter.Name == name);

    private static float[] Read(Parameter parameter) => Array.ConvertAll(parameter.Read(), value => (float)value);
}
