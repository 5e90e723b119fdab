namespace SapaGpu.Segmentation;

/// <summary>What the channels of images are normalised with, in values of 0 to 255.</summary>
/// <param name="Means">The mean of every channel.</param>
/// <param name="Deviations">The standard deviation of every channel.</param>
internal sealed record ChannelStatistics(float[] Means, float[] Deviations)
{
    /// <summary>The statistics of all pixels of some images.</summary>
    public static ChannelStatistics Of(ImageSet images)
    {
        var sums = new long[ImageSet.Channels];
        var squares = new long[ImageSet.Channels];
        foreach (var pixels in images.Images)
        {
            for (int i = 0; i < pixels.Length; i++)
            {
                sums[i % ImageSet.Channels] += pixels[i];
                squares[i % ImageSet.Channels] += pixels[i] * pixels[i];
            }
        }
        double count = (double)images.Count * images.Height * images.Width;
        var means = Array.ConvertAll(sums, sum => (float)(sum / count));
        // A channel of one value has nothing to be scaled.
        var deviations = squares.Zip(
            sums, (square, sum) => (float)Math.Sqrt(Math.Max(square / count - Math.Pow(sum / count, 2), 1)));
        return new ChannelStatistics(means, [.. deviations]);
    }
}
