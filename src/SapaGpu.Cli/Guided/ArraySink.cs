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
    private readonly double? mark;

    /// <summary>Starts a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="storage">Its layout and element type.</param>
    /// <param name="height">The rows of the map.</param>
    /// <param name="width">The columns of the map.</param>
    /// <param name="channels">The channels of the map.</param>
    /// <param name="mark">
    /// The mark of missing values, which may need more than single precision; null if there is none.
    /// </param>
    public ArraySink(string path, ArrayStorage storage, int height, int width, int channels, double? mark)
    {
        this.mark = mark;
        this.storage = storage;
        this.height = height;
        this.width = width;
        this.channels = channels;
        elementSize = NpyFile.ElementSize(storage.Descriptor);
        stream = File.Create(path);
        NpyFile.WriteHeader(stream, storage.Descriptor, storage.ShapeOf(height, width, channels));
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

    private double Exactly(float value) => mark is { } exact && value.Equals((float)exact) ? exact : value;

    private void WriteLine(ReadOnlySpan<float> values, int step, byte[] line, long element)
    {
        for (int from = 0, to = 0; to < line.Length; from += step, to += elementSize)
            NpyFile.Encode(Exactly(values[from]), storage.Descriptor, line.AsSpan(to, elementSize));
        RandomAccess.Write(stream.SafeFileHandle, line, start + element * elementSize);
    }
}
