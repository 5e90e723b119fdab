using System.Buffers.Binary;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>Writes rows into a .npy file in the order of the file.</summary>
internal sealed class FeatureWriter : IRowSink, IDisposable
{
    private const int BufferLength = 1 << 20;

    private readonly FileStream stream;
    private readonly string descriptor;
    private readonly int elementSize;
    private byte[] bytes = [];

    /// <summary>Starts a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="storage">Its layout and element type.</param>
    /// <param name="height">The rows.</param>
    /// <param name="width">The columns.</param>
    /// <param name="channels">The channels.</param>
    public FeatureWriter(string path, ArrayStorage storage, int height, int width, int channels)
    {
        descriptor = storage.Descriptor;
        elementSize = NpyFile.ElementSize(descriptor);
        stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, BufferLength);
        NpyFile.WriteHeader(stream, descriptor, storage.ShapeOf(height, width, channels));
    }

    /// <inheritdoc/>
    public void Write(int channel, int row, ReadOnlySpan<double> values)
    {
        int length = values.Length * elementSize;
        if (bytes.Length < length)
            bytes = new byte[length];
        var elements = bytes.AsSpan(0, length);
        if (elementSize == sizeof(float))
        {
            for (int i = 0; i < values.Length; i++)
                BinaryPrimitives.WriteSingleLittleEndian(elements[(i * sizeof(float))..], (float)values[i]);
        }
        else
        {
            for (int i = 0; i < values.Length; i++)
                NpyFile.Encode(values[i], descriptor, elements.Slice(i * elementSize, elementSize));
        }
        stream.Write(elements);
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
