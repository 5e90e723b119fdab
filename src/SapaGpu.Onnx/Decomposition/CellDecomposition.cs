using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>
/// Cell by cell, as products of matrices: outputs that are sh times as high and sw times as wide as the map, whole numbers. The
/// s = sh·sw points of a cell share its taps. Scores are [N, H, W, K², s].
/// </summary>
internal sealed class CellDecomposition : WindowDecomposition
{
    private readonly string outputHeight;
    private readonly string outputWidth;
    private readonly string height;
    private readonly string width;
    private readonly string scaleHeight;
    private readonly string scaleWidth;
    private string? taps;

    /// <summary>Starts a decomposition.</summary>
    /// <param name="nodes">The nodes to add to.</param>
    /// <param name="taps">Where taps lie.</param>
    /// <param name="high">A map of the output's size.</param>
    /// <param name="low">A map of cells.</param>
    public CellDecomposition(OnnxNodes nodes, WindowTaps taps, string high, string low)
        : base(nodes, taps)
    {
        (outputHeight, outputWidth) = (nodes.Size(high, 2), nodes.Size(high, 3));
        (height, width) = (nodes.Size(low, 2), nodes.Size(low, 3));
        (scaleHeight, scaleWidth) = (nodes.Add("Div", outputHeight, height), nodes.Add("Div", outputWidth, width));
    }

    protected override int TapAxis => 3;

    public override string Scores(string query, string key) => Nodes.Add("MatMul", OfTaps(key), OfPoints(query));

    public override string Weights(string weights) => OfPoints(weights);

    public override string Reassemble(string weights, string value)
    {
        string sums = Nodes.Add("MatMul", Nodes.Transpose(weights, 0, 1, 2, 4, 3), OfTaps(value));     // [N, H, W, s, C]
        string separate = Nodes.Reshape(
            sums, Nodes.Size(value, 0), height, width, scaleHeight, scaleWidth, Nodes.Size(value, 1));
        return Nodes.Reshape(
            Nodes.Transpose(separate, 0, 5, 1, 3, 2, 4), Nodes.Size(value, 0), Nodes.Size(value, 1), outputHeight, outputWidth);
    }

    protected override string Inside()
    {
        string offsets = AllOffsets();
        string rows = Nodes.Unsqueeze(Taps.Inside(Cells(height), height, offsets), 1, 3);           // [H, 1, K, 1]
        string columns = Nodes.Unsqueeze(Taps.Inside(Cells(width), width, offsets), 0, 2);          // [1, W, 1, K]
        return Nodes.Reshape(Nodes.Add("And", rows, columns), height, width, Nodes.Vector(TapCount), Nodes.Vector(1));
    }

    private string Cells(string extent) => Nodes.Unsqueeze(Nodes.Range(extent), 1);

    // [N, D, OH, OW] as [N, H, W, D, s].
    private string OfPoints(string map)
    {
        string separate = Nodes.Reshape(
            map, Nodes.Size(map, 0), Nodes.Size(map, 1), height, scaleHeight, width, scaleWidth);
        return Nodes.Reshape(
            Nodes.Transpose(separate, 0, 2, 4, 1, 3, 5),
            Nodes.Size(map, 0), height, width, Nodes.Size(map, 1), Nodes.Add("Mul", scaleHeight, scaleWidth));
    }

    // [N, D, H, W] as [N, H, W, K², D].
    private string OfTaps(string map)
    {
        string padded = Taps.Map(map);
        taps ??= Positions(Nodes.Size(padded, 3));
        string pixels = Nodes.Reshape(padded, Nodes.Size(map, 0), Nodes.Size(map, 1), Nodes.Vector(-1));
        return Nodes.Gather(Nodes.Transpose(pixels, 0, 2, 1), taps, 1);
    }

    // The pixel of every tap of every cell, [H, W, K²].
    private string Positions(string pitch)
    {
        string offsets = AllOffsets();
        string rows = Nodes.Add("Mul", Taps.Positions(Cells(height), height, offsets), pitch);
        string columns = Taps.Positions(Cells(width), width, offsets);
        string pixels = Nodes.Add("Add", Nodes.Unsqueeze(rows, 1, 3), Nodes.Unsqueeze(columns, 0, 2));
        return Nodes.Reshape(pixels, height, width, Nodes.Vector(TapCount));
    }
}
