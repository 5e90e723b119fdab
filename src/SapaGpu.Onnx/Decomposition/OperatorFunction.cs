using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>An operator of the library as a function of standard operators, which compute in type float.</summary>
internal static class OperatorFunction
{
    private const string Output = "output";

    /// <summary>Writes a function.</summary>
    /// <param name="name">The operator.</param>
    /// <param name="options">What the function holds for, in words.</param>
    /// <param name="operands">The names of its inputs.</param>
    /// <param name="attributes">The attributes of its node.</param>
    /// <param name="type">The type of its inputs and its output.</param>
    /// <param name="write">Adds the nodes, with the inputs in type float, and returns the result.</param>
    public static OnnxFunction Create(
        string name, string options, string[] operands, IEnumerable<OnnxAttribute> attributes, TensorType type,
        Func<OnnxNodes, string[], string> write)
    {
        var nodes = new OnnxNodes();
        bool isNarrow = type != TensorType.Float32;
        string[] wide = isNarrow ? [.. operands.Select(operand => nodes.Cast(operand, TensorType.Float32))] : operands;
        string result = write(nodes, wide);
        nodes.Name(isNarrow ? nodes.Cast(result, type) : result, Output);
        return new OnnxFunction(
            OperatorDomain.Name,
            name,
            $"{name} of SapaGpu in standard operators; {options}.",
            operands,
            Output,
            [.. attributes.Select(attribute => attribute.Name)],
            nodes);
    }
}
