using System.IO.Compression;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Fuzz.Files;

/// <summary>NumPy arrays and archives of one, as the tool reads maps.</summary>
internal static class ArrayFiles
{
    private static readonly string[] Descriptors = ["<f4", "<f8", "<f2", "|u1", "<i8", "|b1", ">f4", "<u2"];

    public static IEnumerable<SoundFile> All()
    {
        foreach (string descriptor in Descriptors)
        {
            var array = Array(descriptor);
            yield return new("map.npy", array, ReadMap);
            yield return new("map.npz", Archive(array, CompressionLevel.NoCompression), ReadMap);
        }
        yield return new("features.npy", Array("<f4"), ReadFeatures);
        yield return new("features.npz", Archive(Array("<f2"), CompressionLevel.Optimal), ReadFeatures);
        yield return new("packed.npz", Archive(Array("<f4"), CompressionLevel.Optimal), ReadMap);
        yield return new("array.npz", Array("<f4"), ReadMap)
        {
            Complete = part => Archive(part, CompressionLevel.Optimal),
        };
    }

    /// <summary>Reads a map as labels and as values.</summary>
    public static void ReadMap(string path)
    {
        foreach (bool labels in new[] { false, true })
        {
            try
            {
                var map = new MapReader(labels, new RequestedMarks([0]), proportion: 1, layout: null).Read(InputFile.Open(path));
                _ = map.Raster.Values.Sum();
            }
            catch (InvalidDataException) when (labels)
            {
                // Values need not be classes.
            }
        }
    }

    /// <summary>Reads features for a model.</summary>
    public static void ReadFeatures(string path)
    {
        var features = new MapReader(labels: false, new RequestedMarks([]), proportion: 1, layout: null)
            .ReadFeatures(InputFile.Open(path));
        _ = features.To<float>(path).Sum() + features.IndexOf(features.Channels - 1, features.Height - 1, features.Width - 1);
    }

    private static byte[] Array(string descriptor)
    {
        using var stream = new MemoryStream();
        NpyFile.WriteHeader(stream, descriptor, [2, 3, 4]);
        stream.Write(new byte[24 * NpyFile.ElementSize(descriptor.Replace('>', '<'))]);
        return stream.ToArray();
    }

    private static byte[] Archive(byte[] array, CompressionLevel level)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = archive.CreateEntry("arr_0.npy", level).Open();
            entry.Write(array);
        }
        return stream.ToArray();
    }
}
