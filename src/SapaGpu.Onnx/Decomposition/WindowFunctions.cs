using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>
/// The window operators as functions of standard operators. A function holds for the attributes of its node only: borders and
/// normalisations are different nodes, which no attribute can choose between.
/// </summary>
internal static class WindowFunctions
{
    // Writes steps on a map of the output's size and a map of cells.
    private delegate string Steps(string high, string low, Func<WindowDecomposition, string> steps);

    public static OnnxFunction Attention(WindowAttentionOptions options, OnnxRatio ratio, TensorType type) => Create(
        WindowOperators.Attention, ["query", "key", "value"], options, ratio, type, (nodes, operands, write) =>
        {
            string query = Heads.AsImages(nodes, operands[0], options.Heads);
            string key = Heads.AsImages(nodes, operands[1], options.Heads);
            string value = Value(nodes, operands[2], options);
            return write(query, key, steps =>
                steps.Reassemble(steps.Normalise(steps.Scores(query, key), options.Normalisation), value));
        });

    public static OnnxFunction Reassembly(WindowAttentionOptions options, OnnxRatio ratio, TensorType type) => Create(
        WindowOperators.Reassembly, ["weights", "value"], options, ratio, type, (nodes, operands, write) =>
        {
            string weights = Heads.AsImages(nodes, operands[0], options.Heads);
            string value = Value(nodes, operands[1], options);
            return write(weights, value, steps => steps.Reassemble(steps.Weights(weights), value));
        });

    private static OnnxFunction Create(
        string name, string[] operands, WindowAttentionOptions options, OnnxRatio ratio, TensorType type,
        Func<OnnxNodes, string[], Steps, string> write)
    {
        var attributes = WindowOperators.AttributesOf(name, options);
        return OperatorFunction.Create(name, options.Describe(), operands, attributes, type, (nodes, wide) =>
        {
            string result = write(nodes, wide, (high, low, steps) =>
            {
                return ratio == OnnxRatio.Integer
                    ? ByCells(nodes)
                    : nodes.If(AreMultiples(nodes, high, low), ByCells, ByPoints);

                string ByCells(OnnxNodes own) => steps(new CellDecomposition(own, Taps(own), high, low));

                string ByPoints(OnnxNodes own) => steps(new PointDecomposition(own, Taps(own), high, low));

                WindowTaps Taps(OnnxNodes own) => new(own, options.Window, options.Border);
            });
            return Heads.AsChannels(nodes, result, wide[0], options.Heads);
        });
    }

    private static string AreMultiples(OnnxNodes nodes, string high, string low)
    {
        string remainders = nodes.Add("Mod", nodes.Sizes(high, 2, 4), nodes.Sizes(low, 2, 4));
        string sum = nodes.Add("ReduceSum", [remainders], OnnxAttribute.Of("keepdims", 0L));
        return nodes.Add("Equal", sum, nodes.Scalar(0));
    }

    private static string Value(OnnxNodes nodes, string value, WindowAttentionOptions options)
    {
        if (options.HeadValue == HeadValue.Shared && options.Heads > 1)
            value = nodes.Add("Tile", value, nodes.Vector(1, options.Heads, 1, 1));
        return Heads.AsImages(nodes, value, options.Heads);
    }
}
