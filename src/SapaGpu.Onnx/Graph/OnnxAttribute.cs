using System.Runtime.InteropServices;

namespace SapaGpu.Onnx.Graph;

/// <summary>An attribute of a node, as AttributeProto.</summary>
internal readonly record struct OnnxAttribute(string Name, ProtobufMessage Message)
{
    private const int NameField = 1;
    private const int TypeField = 20;

    public static OnnxAttribute Of(string name, long value) => Create(name, kind: 2, message => message.Int(3, value));

    public static OnnxAttribute Of(string name, float value) => Create(name, kind: 1, message => message.Float(2, value));

    public static OnnxAttribute Of(string name, string value) => Create(name, kind: 3, message => message.Text(4, value));

    public static OnnxAttribute Of(string name, params long[] values) => Create(name, kind: 7, message =>
    {
        foreach (long value in values)
            message.Int(8, value);
    });

    /// <summary>A graph inside the graph, which may refer to what is around it.</summary>
    public static OnnxAttribute Graph(string name, OnnxNodes nodes, string output)
    {
        var graph = new ProtobufMessage();
        foreach (var node in nodes.All)
            graph.Message(1, node);
        graph.Text(2, name).Message(12, new ProtobufMessage().Text(1, output));
        return Create(name, kind: 5, message => message.Message(6, graph));
    }

    /// <summary>A tensor of whole numbers: a vector, or without <paramref name="isVector"/> a scalar.</summary>
    public static OnnxAttribute Tensor(string name, long[] values, bool isVector) =>
        Tensor(name, TensorMessage(null, TensorType.Int64, isVector ? [values.Length] : [], Raw<long>(values)));

    /// <summary>A scalar of type float.</summary>
    public static OnnxAttribute Scalar(string name, float value) =>
        Tensor(name, TensorMessage(null, TensorType.Float32, [], Raw<float>([value])));

    /// <summary>A TensorProto with float values.</summary>
    public static ProtobufMessage Initializer(string name, IEnumerable<int> dimensions, ReadOnlySpan<float> values) =>
        TensorMessage(name, TensorType.Float32, [.. dimensions.Select(size => (long)size)], Raw(values));

    private static OnnxAttribute Tensor(string name, ProtobufMessage tensor) =>
        Create(name, kind: 4, message => message.Message(5, tensor));

    private static OnnxAttribute Create(string name, int kind, Action<ProtobufMessage> write)
    {
        var message = new ProtobufMessage().Text(NameField, name).Int(TypeField, kind);
        write(message);
        return new OnnxAttribute(name, message);
    }

    private static ProtobufMessage TensorMessage(string? name, TensorType type, long[] dimensions, byte[] littleEndian)
    {
        var message = new ProtobufMessage();
        foreach (long dimension in dimensions)
            message.Int(1, dimension);
        message.Int(2, (int)type);
        if (name is not null)
            message.Text(8, name);
        return message.Bytes(9, littleEndian);
    }

    private static byte[] Raw<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values).ToArray();
        if (!BitConverter.IsLittleEndian)
        {
            int size = bytes.Length / Math.Max(values.Length, 1);
            for (int start = 0; start < bytes.Length; start += size)
                bytes.AsSpan(start, size).Reverse();
        }
        return bytes;
    }
}
