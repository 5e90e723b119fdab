using System.Runtime.CompilerServices;

namespace SapaGpu.Guided;

/// <summary>
/// Shrinks an image: every output pixel is the mean over the rectangle of the input that it covers, where pixels across
/// the edge of the rectangle are weighted by their fraction inside.
/// </summary>
internal static class AreaAverage
{
    /// <summary>Shrinks samples of 8 bits to numbers from 0 to 1.</summary>
    /// <param name="samples">The samples, row by row, channels side by side.</param>
    /// <param name="height">The rows of the input.</param>
    /// <param name="width">The columns of the input.</param>
    /// <param name="channels">The samples of a pixel.</param>
    /// <param name="outputHeight">The rows of the output, at most those of the input.</param>
    /// <param name="outputWidth">The columns of the output, at most those of the input.</param>
    public static float[] Shrink(
        byte[] samples, int height, int width, int channels, int outputHeight, int outputWidth)
    {
        var rows = Coverage.Of(height, outputHeight);
        var columns = Coverage.Of(width, outputWidth);
        var output = new float[(long)outputHeight * outputWidth * channels];
        Parallel.For(0, outputHeight, row =>
        {
            var target = output.AsSpan(row * outputWidth * channels, outputWidth * channels);
            for (int y = 0; y < rows[row].Weights.Length; y++)
            {
                int start = (rows[row].First + y) * width * channels;
                AddRow(samples.AsSpan(start, width * channels), columns, rows[row].Weights[y], channels, target);
            }
        });
        return output;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(
        ReadOnlySpan<byte> line, Coverage[] columns, double rowWeight, int channels, Span<float> target)
    {
        for (int column = 0; column < columns.Length; column++)
        {
            var covered = columns[column];
            for (int c = 0; c < channels; c++)
            {
                double sum = 0;
                int from = covered.First * channels + c;
                foreach (double weight in covered.Weights)
                {
                    sum += weight * line[from];
                    from += channels;
                }
                target[column * channels + c] += (float)(sum * rowWeight) * Photo.SampleUnit;
            }
        }
    }

    /// <summary>The input pixels of an axis that an output pixel covers, with weights that add up to 1.</summary>
    private readonly record struct Coverage(int First, double[] Weights)
    {
        public static Coverage[] Of(int input, int output)
        {
            double ratio = (double)input / output;
            return
            [
                .. Enumerable.Range(0, output).Select(i =>
                {
                    double start = i * ratio, end = Math.Min(input, start + ratio);
                    int first = (int)start, last = Math.Max(first, Math.Min(input, (int)Math.Ceiling(end)) - 1);
                    var weights = Enumerable.Range(first, last - first + 1).Select(pixel =>
                        Math.Max(0, Math.Min(pixel + 1, end) - Math.Max(pixel, start)) / (end - start));
                    return new Coverage(first, [.. weights]);
                }),
            ];
        }
    }
}
