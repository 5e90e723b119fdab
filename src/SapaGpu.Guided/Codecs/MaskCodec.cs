using System.Runtime.CompilerServices;

namespace SapaGpu.Guided;

/// <summary>Masks of two values: one channel, 1 in the cells of one of them and 0 in those of the other.</summary>
internal sealed class MaskCodec : IClassCodec
{
    private readonly ClassMap map;
    private readonly bool decides;

    private MaskCodec(ClassMap map, bool decides)
    {
        this.map = map;
        this.decides = decides;
    }

    public int Height => map.Height;

    public int Width => map.Width;

    public int SampleChannels => map.SampleChannels;

    /// <summary>Prepares a mask.</summary>
    /// <param name="map">The map.</param>
    /// <param name="unknown">The marks of missing values, of which there may be none.</param>
    /// <param name="decides">Whether pixels get one of the two values, not what lies between them.</param>
    /// <returns>The codec; null for a map that has not just two values.</returns>
    public static MaskCodec? TryCreate(Raster map, UnknownMarks unknown, bool decides) =>
        HasTwoValues(map, unknown) ? new MaskCodec(new ClassMap(map), decides) : null;

    public int CountChannels(Region cells) => 1;

    public EncodedCells Encode(Region cells)
    {
        var values = new float[cells.Count];
        int next = 0;
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++)
                values[next++] = map.ClassAt(row, column);
        }
        return new EncodedCells(1, values, []);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Decode(EncodedCells encoded, PixelBlock pixels, ReadOnlySpan<float> averages, Span<float> samples)
    {
        var first = map.SamplesOf(0);
        var second = map.SamplesOf(1);
        for (int i = 0; i < averages.Length; i++)
        {
            float share = decides ? MathF.Round(averages[i]) : averages[i];
            var pixel = samples.Slice(i * SampleChannels, SampleChannels);
            if (share <= 0)
                first.CopyTo(pixel);
            else if (share >= 1)
                second.CopyTo(pixel);
            else
                Mix(first, second, share, pixel);
        }
    }

    public bool IsUniform(Region cells) => map.IsUniform(cells);

    public int UnknownChannel(EncodedCells encoded) => -1;

    private static void Mix(ReadOnlySpan<float> first, ReadOnlySpan<float> second, float share, Span<float> pixel)
    {
        for (int c = 0; c < pixel.Length; c++)
            pixel[c] = float.Lerp(first[c], second[c], share);
    }

    private static bool HasTwoValues(Raster map, UnknownMarks unknown)
    {
        var first = map.Values.AsSpan(0, map.Channels);
        ReadOnlySpan<float> second = [];
        for (int i = 0; i < map.Values.Length; i += map.Channels)
        {
            var pixel = map.Values.AsSpan(i, map.Channels);
            if (unknown.Has(pixel))
                return false;
            if (pixel.SequenceEqual(first))
                continue;
            if (second.IsEmpty)
                second = pixel;
            else if (!pixel.SequenceEqual(second))
                return false;
        }
        return !second.IsEmpty;
    }
}
