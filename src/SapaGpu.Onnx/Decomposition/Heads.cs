using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>Heads, or groups of channels, as images: each is a problem of its own.</summary>
internal static class Heads
{
    /// <summary>Returns a map [B, heads·d, H, W] as [B·heads, d, H, W].</summary>
    public static string AsImages(OnnxNodes nodes, string map, int heads) => heads == 1
        ? map
        : nodes.Reshape(
            map,
            nodes.Add("Mul", nodes.Size(map, 0), nodes.Vector(heads)),
            nodes.Add("Div", nodes.Size(map, 1), nodes.Vector(heads)),
            nodes.Size(map, 2),
            nodes.Size(map, 3));

    /// <summary>Returns a map [B·heads, d, H, W] as [B, heads·d, H, W], with as many images as another.</summary>
    public static string AsChannels(OnnxNodes nodes, string map, string like, int heads) => heads == 1
        ? map
        : nodes.Reshape(
            map,
            nodes.Size(like, 0),
            nodes.Add("Mul", nodes.Size(map, 1), nodes.Vector(heads)),
            nodes.Size(map, 2),
            nodes.Size(map, 3));
}
