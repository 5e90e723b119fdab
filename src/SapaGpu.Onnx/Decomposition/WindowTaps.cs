using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>
/// Where the taps of windows lie along an axis. Borders at which taps outside the map count 0 pad the map by zeros, so that these
/// taps have score 0 and value 0, and positions are those in the padded map.
/// </summary>
internal sealed class WindowTaps(OnnxNodes nodes, int window, BorderRule border)
{
    private readonly int radius = window / 2;

    public int Window => window;

    /// <summary>Gets whether taps outside the map have to be left out of the normalisation.</summary>
    public bool HasMask => border == BorderRule.Masked && radius > 0;

    private bool Pads => border is BorderRule.ZeroLogit or BorderRule.Masked && radius > 0;

    /// <summary>Returns the map that positions refer to, [N, C, H or H + K − 1, W or W + K − 1].</summary>
    public string Map(string map) =>
        Pads ? nodes.Add("Pad", map, nodes.Vector(0, 0, radius, radius, 0, 0, radius, radius)) : map;

    /// <summary>Returns the position of taps; the operands broadcast.</summary>
    /// <param name="cells">The cells in the middle of the windows.</param>
    /// <param name="extent">The number of cells of the axis.</param>
    /// <param name="offsets">The number of a tap along the axis, from 0 to K − 1.</param>
    public string Positions(string cells, string extent, string offsets) => border switch
    {
        BorderRule.Replicate => Clamp(
            nodes.Add("Add", First(cells), offsets), nodes.Add("Sub", extent, nodes.Vector(1))),
        BorderRule.Shifted => nodes.Add(
            "Add", Clamp(First(cells), nodes.Add("Sub", extent, nodes.Vector(window))), offsets),
        _ => nodes.Add("Add", cells, offsets),
    };

    /// <summary>Returns whether taps lie inside the map.</summary>
    public string Inside(string cells, string extent, string offsets)
    {
        string position = nodes.Add("Add", First(cells), offsets);
        return nodes.Add(
            "And", nodes.Add("GreaterOrEqual", position, nodes.Vector(0)), nodes.Add("Less", position, extent));
    }

    private string First(string cells) => nodes.Add("Sub", cells, nodes.Vector(radius));

    private string Clamp(string position, string last) =>
        nodes.Add("Max", nodes.Add("Min", position, last), nodes.Vector(0));
}
