namespace SapaGpu.Onnx.Graph;

/// <summary>
/// A list of nodes that grows, the body of a graph or of a function. Methods add a node and return the name of its output.
/// </summary>
/// <param name="prefix">How the names of the nodes' outputs begin.</param>
internal sealed class OnnxNodes(string prefix = "")
{
    private readonly List<ProtobufMessage> nodes = [];
    private readonly Dictionary<string, string> constants = [];

    public IReadOnlyList<ProtobufMessage> All => nodes;

    /// <summary>Adds a node of the standard operators.</summary>
    public string Add(string operation, string[] inputs, params OnnxAttribute[] attributes) =>
        Add(string.Empty, operation, inputs, attributes, NewName(operation));

    /// <summary>Adds a node without attributes.</summary>
    public string Add(string operation, params string[] inputs) => Add(operation, inputs, []);

    /// <summary>Adds a node of any domain whose output has a given name.</summary>
    public string Add(
        string domain, string operation, IEnumerable<string> inputs, IEnumerable<OnnxAttribute> attributes, string output)
    {
        var node = new ProtobufMessage();
        foreach (string input in inputs)
            node.Text(1, input);
        node.Text(2, output).Text(3, $"{output}_node").Text(4, operation);
        foreach (var attribute in attributes)
            node.Message(5, attribute.Message);
        if (domain.Length > 0)
            node.Text(7, domain);
        nodes.Add(node);
        return output;
    }

    /// <summary>Gives a value another name, such as that of an output.</summary>
    public string Name(string value, string output) => Add(string.Empty, "Identity", [value], [], output);

    /// <summary>A vector of whole numbers.</summary>
    public string Vector(params long[] values) => Constant(
        $"[{string.Join(',', values)}]", () => OnnxAttribute.Tensor("value", values, isVector: true));

    /// <summary>A whole number without dimensions.</summary>
    public string Scalar(long value) => Constant($"{value}", () => OnnxAttribute.Tensor("value", [value], isVector: false));

    /// <summary>A number of type float without dimensions.</summary>
    public string Number(float value) => Constant($"{value:r}f", () => OnnxAttribute.Scalar("value", value));

    /// <summary>The size of one dimension of a tensor, as a vector of one number.</summary>
    public string Size(string tensor, int dimension) => Sizes(tensor, dimension, dimension + 1);

    /// <summary>The sizes of the dimensions from one up to another, as a vector.</summary>
    public string Sizes(string tensor, int start, int end) =>
        Add("Shape", [tensor], OnnxAttribute.Of("start", (long)start), OnnxAttribute.Of("end", (long)end));

    /// <summary>The numbers from 0 to a size, without the size itself.</summary>
    public string Range(string size) => Add("Range", Scalar(0), Add("Squeeze", size), Scalar(1));

    public string Concatenate(int axis, params string[] parts) =>
        Add("Concat", parts, OnnxAttribute.Of("axis", (long)axis));

    public string Reshape(string tensor, params string[] sizes) => Add("Reshape", tensor, Concatenate(0, sizes));

    public string Transpose(string tensor, params long[] permutation) =>
        Add("Transpose", [tensor], OnnxAttribute.Of("perm", permutation));

    public string Unsqueeze(string tensor, params long[] axes) => Add("Unsqueeze", tensor, Vector(axes));

    public string Gather(string tensor, string indices, int axis) =>
        Add("Gather", [tensor, indices], OnnxAttribute.Of("axis", (long)axis));

    public string Cast(string tensor, TensorType type) => Add("Cast", [tensor], OnnxAttribute.Of("to", (long)type));

    /// <summary>Chooses between two lists of nodes, whose names do not meet; both are made, and one runs.</summary>
    public string If(string condition, Func<OnnxNodes, string> then, Func<OnnxNodes, string> otherwise)
    {
        var thenNodes = new OnnxNodes($"{prefix}then_");
        var otherNodes = new OnnxNodes($"{prefix}else_");
        return Add(
            "If",
            [condition],
            OnnxAttribute.Graph("then_branch", thenNodes, then(thenNodes)),
            OnnxAttribute.Graph("else_branch", otherNodes, otherwise(otherNodes)));
    }

    private string Constant(string key, Func<OnnxAttribute> value)
    {
        if (!constants.TryGetValue(key, out var name))
            constants.Add(key, name = Add("Constant", [], value()));
        return name;
    }

    private string NewName(string operation) => $"{prefix}{operation.ToLowerInvariant()}_{nodes.Count}";
}
