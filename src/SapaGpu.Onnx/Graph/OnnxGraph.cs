using System.Reflection;

namespace SapaGpu.Onnx.Graph;

/// <summary>A graph with its parameters and functions, from which a file is made.</summary>
/// <param name="name">The name of the graph.</param>
/// <param name="type">The element type of inputs and output.</param>
internal sealed class OnnxGraph(string name, TensorType type)
{
    // The first version with functions that belong to a model.
    private const int FormatVersion = 8;

    private readonly List<ProtobufMessage> initializers = [];
    private readonly List<ProtobufMessage> inputs = [];
    private readonly List<ProtobufMessage> outputs = [];
    private readonly List<OnnxFunction> functions = [];
    private readonly List<string> domains = [];

    public TensorType Type => type;

    public OnnxNodes Nodes { get; } = new();

    /// <summary>Adds an input; dimensions are sizes or, where they may have any, names.</summary>
    public string Input(string input, params object[] dimensions)
    {
        inputs.Add(ValueInfo(input, dimensions));
        return input;
    }

    /// <summary>Makes a value an output.</summary>
    public void Output(string value, string output, params object[] dimensions)
    {
        Nodes.Name(value, output);
        outputs.Add(ValueInfo(output, dimensions));
    }

    /// <summary>Adds a parameter.</summary>
    public string Parameter(string parameter, IReadOnlyList<int> dimensions, ReadOnlySpan<float> values)
    {
        initializers.Add(OnnxAttribute.Initializer(parameter, dimensions, values));
        return parameter;
    }

    /// <summary>Adds a node of another domain, with the function that carries it out where the operator is not known.</summary>
    public string Call(
        string domain, string operation, IEnumerable<string> operands, IEnumerable<OnnxAttribute> attributes,
        OnnxFunction? function)
    {
        if (!domains.Contains(domain))
            domains.Add(domain);
        if (function is not null)
            functions.Add(function);
        return Nodes.Add(domain, operation, operands, attributes, operation);
    }

    /// <summary>Makes the file.</summary>
    public byte[] ToFile()
    {
        var graph = new ProtobufMessage();
        foreach (var node in Nodes.All)
            graph.Message(1, node);
        graph.Text(2, name);
        foreach (var initializer in initializers)
            graph.Message(5, initializer);
        foreach (var input in inputs)
            graph.Message(11, input);
        foreach (var output in outputs)
            graph.Message(12, output);
        var version = typeof(OnnxGraph).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>();
        var model = new ProtobufMessage()
            .Int(1, FormatVersion)
            .Text(2, "SapaGpu")
            .Text(3, version?.InformationalVersion ?? string.Empty)
            .Message(7, graph)
            .Message(8, OperatorSet.Standard);
        foreach (string domain in domains)
            model.Message(8, OperatorSet.Of(domain, 1));
        foreach (var function in functions)
            model.Message(25, function.ToMessage());
        return model.ToArray();
    }

    private ProtobufMessage ValueInfo(string value, object[] dimensions)
    {
        var shape = new ProtobufMessage();
        foreach (object dimension in dimensions)
        {
            shape.Message(1, dimension is int size
                ? new ProtobufMessage().Int(1, size)
                : new ProtobufMessage().Text(2, (string)dimension));
        }
        var tensor = new ProtobufMessage().Int(1, (int)type).Message(2, shape);
        return new ProtobufMessage().Text(1, value).Message(2, new ProtobufMessage().Message(1, tensor));
    }
}
