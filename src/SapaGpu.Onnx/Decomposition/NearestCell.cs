using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>The cell that a point of the output belongs to, ⌊y·H/OH⌋.</summary>
internal static class NearestCell
{
    /// <summary>Returns the cell of every point of an axis.</summary>
    public static string Indices(OnnxNodes nodes, string points, string cells) =>
        nodes.Add("Div", nodes.Add("Mul", nodes.Range(points), cells), points);

    /// <summary>Returns a map at the size of another, every point with the values of its cell.</summary>
    public static string Upsample(OnnxNodes nodes, string map, string like)
    {
        string columns = Indices(nodes, nodes.Size(like, 3), nodes.Size(map, 3));
        string rows = Indices(nodes, nodes.Size(like, 2), nodes.Size(map, 2));
        return nodes.Gather(nodes.Gather(map, columns, 3), rows, 2);
    }
}
