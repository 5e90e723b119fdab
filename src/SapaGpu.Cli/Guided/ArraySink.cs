using SapaGpu.Workloads.Npy;

namespace SapaGpu.Cli.Guided;

/// <summary>Writes a map into an array file rectangle by rectangle; the array need not fit into memory.</summary>
internal sealed class ArraySink : IMapSink, IDisposable
{
    private readonly FileStream stream;
    private readonly ArrayStorage storage;
    private readonly long start;
    private readonly int height;
    private readonly int width;
    private readonly int channels;
    private readonly int elementSize;

    /// <summary>Starts a file.</summary>
    public ArraySink(string path, ArrayStorage storage, int height, int width, int channels)
    {
        this.storage = storage;
        this.height = height;
        this.width = width;
        this.channels = channels;
        elementSize = NpyFile.ElementSize(storage.Descriptor);
        stream = File.Create(path);
        NpyFile.WriteHeader(stream, storage.Descriptor, storage.Layout switch
        {
            ArrayLayout.Plane => [height, width],
            ArrayLayout.ChannelsFirst => [channels, height, width],
            _ => [height, width, channels],
        });
        start = stream.Position;
    }

    /// <inheritdoc/>
    public void Write(Region pixels, ReadOnlySpan<float> samples)
    {
        bool planes = storage.Layout == ArrayLayout.ChannelsFirst;
        var line = new byte[(planes ? 1 : channels) * pixels.Width * elementSize];
        for (int row = 0; row < pixels.Height; row++)
        {
            var values = samples.Slice(row * pixels.Width * channels, pixels.Width * channels);
            long pixel = (long)(pixels.Row + row) * width + pixels.Column;
            if (!planes)
            {
                WriteLine(values, 1, line, pixel * channels);
                continue;
            }
            for (int c = 0; c < channels; c++)
                WriteLine(values[c..], channels, line, (long)c * height * width + pixel);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private void WriteLine(ReadOnlySpan<float> values, int step, byte[] line, long element)
    {
        for (int from = 0, to = 0; to < line.Length; from += step, to += elementSize)
            NpyFile.Encode(values[from], storage.Descriptor, line.AsSpan(to, elementSize));
        RandomAccess.Write(stream.SafeFileHandle, line, start + element * elementSize);
    }
}
