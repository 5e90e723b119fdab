using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>The two containers that torch.save writes.</summary>
public enum Container
{
    Zip,
    Legacy,
}

/// <summary>Puts a pickle and storages into a file as torch.save does.</summary>
internal static class TorchFile
{
    private const string MagicNumber = "119547037146038801333356";

    public static byte[] Build(
        Container container, byte[] pickle, params (string Key, StateEntry Content)[] storages) =>
        container == Container.Zip ? Zip(pickle, storages) : Legacy(pickle, storages);

    public static byte[] Zip(byte[] pickle, params (string Key, StateEntry Content)[] storages) => Zip(
        [
            ("any name/data.pkl", pickle),
            ("any name/byteorder", "little"u8.ToArray()),
            .. storages.Select(storage => ($"any name/data/{storage.Key}", storage.Content.Bytes.ToArray())),
            ("any name/version", "3\n"u8.ToArray()),
        ]);

    public static byte[] Zip(
        (string Name, byte[] Content)[] entries, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = archive.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }
        return stream.ToArray();
    }

    public static byte[] Legacy(byte[] pickle, params (string Key, StateEntry Content)[] storages)
    {
        var system = new PickleWriter().Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Mark)
            .Text("protocol_version").Whole(1001).Text("little_endian").Op(PickleOpcode.NewTrue)
            .Op(PickleOpcode.SetItems).Stop();
        return [.. Magic(), .. new PickleWriter().Whole(1001).Stop(), .. system, .. pickle, .. Contents(storages)];
    }

    public static byte[] Magic()
    {
        var number = BigInteger.Parse(MagicNumber, null).ToByteArray();
        return new PickleWriter().Op(PickleOpcode.Long1, [(byte)number.Length, .. number]).Stop();
    }

    public static byte[] Contents(params (string Key, StateEntry Content)[] storages)
    {
        var keys = new PickleWriter().Op(PickleOpcode.EmptyList).Op(PickleOpcode.Mark);
        foreach (var (key, _) in storages)
            keys.Text(key);
        var bytes = keys.Op(PickleOpcode.Appends).Stop().ToList();
        foreach (var (_, content) in storages)
        {
            var count = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(count, content.ToDoubles().Length);
            bytes.AddRange(count);
            bytes.AddRange(content.Bytes.Span);
        }
        return [.. bytes];
    }

    public static StateDict Load(byte[] file) => StateDict.Load(new MemoryStream(file));

    /// <summary>Numbers that every type holds exactly.</summary>
    public static StateEntry Numbers(int count, CheckpointType type = CheckpointType.Float32) =>
        StateEntry.FromDoubles(
            "storage", [count], [.. Enumerable.Range(0, count).Select(i => (double)(i % 100))], type);
}
