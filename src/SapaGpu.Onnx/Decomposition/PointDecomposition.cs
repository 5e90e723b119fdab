using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>
/// Tap by tap, on copies of the maps at the size of the output: two sizes of any ratio. Scores are [N, K², OH, OW].
/// </summary>
internal sealed class PointDecomposition : WindowDecomposition
{
    private readonly string height;
    private readonly string width;
    private readonly string cellRows;
    private readonly string cellColumns;

    /// <summary>Starts a decomposition.</summary>
    /// <param name="nodes">The nodes to add to.</param>
    /// <param name="taps">Where taps lie.</param>
    /// <param name="high">A map of the output's size.</param>
    /// <param name="low">A map of cells.</param>
    public PointDecomposition(OnnxNodes nodes, WindowTaps taps, string high, string low)
        : base(nodes, taps)
    {
        (height, width) = (nodes.Size(low, 2), nodes.Size(low, 3));
        cellRows = NearestCell.Indices(nodes, nodes.Size(high, 2), height);
        cellColumns = NearestCell.Indices(nodes, nodes.Size(high, 3), width);
    }

    protected override int TapAxis => 1;

    public override string Scores(string query, string key)
    {
        var scores = Copies(key).Select(copy => Nodes.Add(
            "ReduceSum", [Nodes.Add("Mul", query, copy), Nodes.Vector(1)], OnnxAttribute.Of("keepdims", 1L)));
        return Nodes.Concatenate(1, [.. scores]);
    }

    public override string Weights(string weights) => weights;

    public override string Reassemble(string weights, string value)
    {
        var terms = Copies(value).Select((copy, tap) =>
            Nodes.Add("Mul", Nodes.Gather(weights, Nodes.Vector(tap), 1), copy));
        return terms.Aggregate((sum, term) => Nodes.Add("Add", sum, term));
    }

    protected override string Inside()
    {
        string offsets = Nodes.Unsqueeze(AllOffsets(), 1);
        string rows = Nodes.Unsqueeze(Taps.Inside(cellRows, height, offsets), 1, 3);            // [K, 1, OH, 1]
        string columns = Nodes.Unsqueeze(Taps.Inside(cellColumns, width, offsets), 0, 2);       // [1, K, 1, OW]
        return Nodes.Reshape(
            Nodes.Add("And", rows, columns), Nodes.Vector(TapCount), Nodes.Size(cellRows, 0), Nodes.Size(cellColumns, 0));
    }

    // Columns first: the map is small then, and whole rows are copied after that.
    private IEnumerable<string> Copies(string map)
    {
        string padded = Taps.Map(map);
        var shifted = new string[Taps.Window];
        for (int column = 0; column < Taps.Window; column++)
        {
            string positions = Taps.Positions(cellColumns, width, Nodes.Vector(column));
            shifted[column] = Nodes.Gather(padded, positions, 3);
        }
        for (int row = 0; row < Taps.Window; row++)
        {
            string positions = Taps.Positions(cellRows, height, Nodes.Vector(row));
            foreach (string columns in shifted)
                yield return Nodes.Gather(columns, positions, 2);
        }
    }
}
