using System.Buffers.Binary;
using System.Text;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Writes a pickle instruction by instruction, as Python's protocols 2 and 4 do.</summary>
internal sealed class PickleWriter(int protocol = 2)
{
    private readonly List<byte> body = [];
    private int memoized;

    public PickleWriter Op(PickleOpcode opcode, params ReadOnlySpan<byte> arguments)
    {
        body.Add((byte)opcode);
        body.AddRange(arguments);
        return this;
    }

    public PickleWriter Raw(params ReadOnlySpan<byte> bytes)
    {
        body.AddRange(bytes);
        return this;
    }

    public PickleWriter Text(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (protocol >= 4 && bytes.Length <= byte.MaxValue)
            return Op(PickleOpcode.ShortBinUnicode, [(byte)bytes.Length, .. bytes]).Memoize();
        return Op(PickleOpcode.BinUnicode, [.. UInt32((uint)bytes.Length), .. bytes]).Memoize();
    }

    public PickleWriter Whole(long value)
    {
        if (value is >= 0 and <= byte.MaxValue)
            return Op(PickleOpcode.BinInt1, (byte)value);
        if (value is >= int.MinValue and <= int.MaxValue)
            return Op(PickleOpcode.BinInt, UInt32((uint)(int)value));
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Op(PickleOpcode.Long1, [sizeof(long), .. bytes]);
    }

    public PickleWriter Global(string module, string name) => protocol >= 4
        ? Text(module).Text(name).Op(PickleOpcode.StackGlobal).Memoize()
        : Op(PickleOpcode.Global, Encoding.ASCII.GetBytes($"{module}\n{name}\n")).Memoize();

    public PickleWriter Tuple(params ReadOnlySpan<long> values)
    {
        Op(PickleOpcode.Mark);
        foreach (long value in values)
            Whole(value);
        return Op(PickleOpcode.Tuple);
    }

    public PickleWriter OrderedDict() =>
        Global("collections", "OrderedDict").Op(PickleOpcode.EmptyTuple).Op(PickleOpcode.Reduce).Memoize();

    public PickleWriter Storage(string key, string storageType, long count) => Op(PickleOpcode.Mark)
        .Text("storage").Global(storageType.Contains('.') ? "torch.storage" : "torch", storageType.Split('.')[^1])
        .Text(key).Text("cpu").Whole(count)
        .Op(PickleOpcode.Tuple).Op(PickleOpcode.BinPersistentId);

    public PickleWriter Tensor(
        string key, string storageType, long count, long offset, ReadOnlySpan<long> sizes, ReadOnlySpan<long> strides) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op(PickleOpcode.Mark)
            .Storage(key, storageType, count).Whole(offset).Tuple(sizes).Tuple(strides)
            .Op(PickleOpcode.NewFalse).OrderedDict()
            .Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce).Memoize();

    public byte[] Stop()
    {
        Op(PickleOpcode.Stop);
        byte[] frame = protocol >= 4 ? [(byte)PickleOpcode.Frame, .. UInt32((uint)body.Count), 0, 0, 0, 0] : [];
        return [(byte)PickleOpcode.Protocol, (byte)protocol, .. frame, .. body];
    }

    private static byte[] UInt32(uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private PickleWriter Memoize()
    {
        int index = memoized++;
        return protocol >= 4 ? Op(PickleOpcode.Memoize) : Op(PickleOpcode.LongBinPut, UInt32((uint)index));
    }
}
