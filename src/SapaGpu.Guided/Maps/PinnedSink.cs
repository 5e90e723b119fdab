using System.Numerics;

namespace SapaGpu.Guided;

/// <summary>Takes a result into pinned memory of the caller, as the caller's type.</summary>
/// <param name="target">The memory, [height, width, channels].</param>
/// <param name="width">The columns.</param>
/// <param name="channels">The channels.</param>
/// <param name="convert">Makes a value of the caller's type.</param>
internal sealed unsafe class PinnedSink<T>(T* target, int width, int channels, Func<float, T> convert) : IMapSink
    where T : unmanaged, INumber<T>
{
    public void Write(Region pixels, ReadOnlySpan<float> samples)
    {
        int rowLength = pixels.Width * channels;
        for (int row = 0; row < pixels.Height; row++)
        {
            T* to = target + ((long)(pixels.Row + row) * width + pixels.Column) * channels;
            var from = samples.Slice(row * rowLength, rowLength);
            for (int i = 0; i < from.Length; i++)
                to[i] = convert(from[i]);
        }
    }
}
