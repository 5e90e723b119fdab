using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>Features at their new size, in the memory of a device.</summary>
internal abstract class UpsampledFeatures : IDisposable
{
    /// <summary>Reads the rows of a part, without a second copy of all where they are in the memory of the CPU.</summary>
    /// <param name="part">The part.</param>
    /// <param name="sink">Receives the rows in the order of the format.</param>
    /// <param name="progress">Receives the completed fraction.</param>
    /// <param name="cancellation">Stops between two rows or channels.</param>
    public abstract void Read(Region part, IRowSink sink, Action<double> progress, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>Features of one element type.</summary>
/// <param name="map">The features, [1, C, H, W], which are taken over.</param>
internal sealed class UpsampledFeatures<T>(FeatureMap<T> map) : UpsampledFeatures
    where T : unmanaged
{
    /// <inheritdoc/>
    public override void Read(Region part, IRowSink sink, Action<double> progress, CancellationToken cancellation)
    {
        var shape = map.Shape;
        bool hasPlanes = map.Format == MemoryFormat.Contiguous;

        // What is read at a time: a channel, or a row with all channels.
        int pieces = hasPlanes ? shape.Channels : part.Height;
        int samples = hasPlanes ? 1 : shape.Channels;
        int pieceLength = hasPlanes ? shape.Height * shape.Width : shape.Width * shape.Channels;
        var pieceShape = hasPlanes
            ? new MapShape(1, 1, shape.Height, shape.Width)
            : new MapShape(1, shape.Channels, 1, shape.Width);
        bool isOnHost = map.Device.Kind == DeviceKind.Cpu;
        var copy = isOnHost ? null
            : shape.ElementCount <= Array.MaxLength ? map.ToArray()
            : new T[pieceLength];
        var row = new double[part.Width * samples];
        for (int piece = 0; piece < pieces; piece++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress((double)piece / pieces);
            int index = hasPlanes ? piece : part.Row + piece;
            var values = Piece(index);
            int rows = hasPlanes ? part.Height : 1;
            for (int y = 0; y < rows; y++)
            {
                int from = (hasPlanes ? (part.Row + y) * shape.Width : 0) + part.Column;
                Widen(values.Slice(from * samples, row.Length), row);
                sink.Write(hasPlanes ? piece : 0, hasPlanes ? y : piece, row);
            }
        }

        ReadOnlySpan<T> Piece(int index)
        {
            if (isOnHost)
            {
                nint offset = (nint)index * pieceLength * Unsafe.SizeOf<T>();
                using var wrapped = FeatureMap<T>.Wrap(map.Device, map.DataPointer + offset, pieceShape, map.Format);
                return wrapped.AsSpan();
            }
            if (copy!.Length > pieceLength)
                return copy.AsSpan(index * pieceLength, pieceLength);
            using var view = hasPlanes ? map.Channels(index, 1) : map.Crop(index, 0, 1, shape.Width);
            view.CopyTo(copy);
            return copy;
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => map.Dispose();

    private static void Widen(ReadOnlySpan<T> values, Span<double> row)
    {
        if (typeof(T) == typeof(float))
        {
            var singles = MemoryMarshal.Cast<T, float>(values);
            for (int i = 0; i < row.Length; i++)
                row[i] = singles[i];
            return;
        }
        for (int i = 0; i < row.Length; i++)
            row[i] = ElementTypes.ToDouble(values[i]);
    }
}
