using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Decomposition;

/// <summary>
/// Deformable attention as a function of standard operators, for two sizes of any ratio. The points of an image lie below one
/// another in one grid, so that GridSample takes them at once.
/// </summary>
internal static class DeformableFunction
{
    public static OnnxFunction Create(DeformableAttentionOptions options, TensorType type) => OperatorFunction.Create(
        DeformableOperators.Attention,
        $"groups {options.Groups}, points {options.Points}",
        ["query", "key", "value", "offsets"],
        DeformableOperators.AttributesOf(options),
        type,
        (nodes, operands) =>
        {
            string query = Heads.AsImages(nodes, operands[0], options.Groups);      // [N, D, OH, OW]
            string key = Heads.AsImages(nodes, operands[1], options.Groups);        // [N, D, H, W]
            string value = Heads.AsImages(nodes, operands[2], options.Groups);      // [N, C, H, W]
            string height = nodes.Size(query, 2), width = nodes.Size(query, 3), points = nodes.Vector(options.Points);
            string offsets = nodes.Reshape(                                         // [N, P, 2, OH, OW]
                operands[3], nodes.Size(query, 0), nodes.Vector(options.Points, 2), height, width);
            string grid = nodes.Reshape(                                            // [N, P·OH, OW, 2]
                Grid(nodes, offsets, key, height, width), nodes.Size(query, 0), nodes.Vector(-1), width, nodes.Vector(2));
            string products = nodes.Add("Mul", nodes.Unsqueeze(query, 2), Sample(key));
            string scores = nodes.Add("ReduceSum", [products, nodes.Vector(1)], OnnxAttribute.Of("keepdims", 1L));
            string weights = nodes.Add("Softmax", [scores], OnnxAttribute.Of("axis", 2L));
            string terms = nodes.Add("Mul", weights, Sample(value));
            string result = nodes.Add("ReduceSum", [terms, nodes.Vector(2)], OnnxAttribute.Of("keepdims", 0L));
            return Heads.AsChannels(nodes, result, operands[0], options.Groups);

            // [N, D, H, W] at the points, [N, D, P, OH, OW].
            string Sample(string map)
            {
                string sampled = nodes.Add(
                    "GridSample",
                    [map, grid],
                    OnnxAttribute.Of("mode", "bilinear"),
                    OnnxAttribute.Of("padding_mode", "zeros"),
                    OnnxAttribute.Of("align_corners", 0L));
                return nodes.Reshape(sampled, nodes.Size(map, 0), nodes.Size(map, 1), points, height, width);
            }
        });

    // The points as GridSample takes them, column and row, [N, P, OH, OW, 2].
    private static string Grid(OnnxNodes nodes, string offsets, string map, string height, string width)
    {
        string rows = nodes.Unsqueeze(Cells(height, nodes.Size(map, 2)), 1);        // [OH, 1]
        string columns = Cells(width, nodes.Size(map, 3));                          // [OW]
        return nodes.Concatenate(
            4, Coordinate(columns, component: 0, nodes.Size(map, 3)), Coordinate(rows, component: 1, nodes.Size(map, 2)));

        string Cells(string size, string extent) =>
            nodes.Cast(NearestCell.Indices(nodes, size, extent), TensorType.Float32);

        string Coordinate(string cells, int component, string extent)
        {
            string size = nodes.Cast(extent, TensorType.Float32);
            string position = nodes.Add("Add", cells, nodes.Gather(offsets, nodes.Scalar(component), 2));
            // A point at −1 or beyond samples zeros; what is no number lies there, too.
            string isInside = nodes.Add(
                "And", nodes.Add("Greater", position, nodes.Number(-1)), nodes.Add("Less", position, size));
            string inside = nodes.Add("Where", isInside, position, nodes.Number(-1));
            // −1 and 1 are the outer edges of the map.
            string edges = nodes.Add("Add", nodes.Add("Mul", inside, nodes.Number(2)), nodes.Number(1));
            string scaled = nodes.Add("Sub", nodes.Add("Div", edges, size), nodes.Number(1));
            return nodes.Unsqueeze(scaled, 4);
        }
    }
}
