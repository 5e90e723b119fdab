using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Guided;

/// <summary>
/// The guided filter (He, Sun and Tang, ECCV 2010) with the colours of a photo: in every square window the input is approximated by a
/// linear function of red, green and blue, and a pixel takes the mean of the functions of all windows that it lies in.
/// </summary>
/// <remarks>Windows end at the edge of the prepared rectangle, in which only runs of pixels are computed.</remarks>
internal sealed class GuidedFilter(Photo photo, int radius)
{
    /// <summary>The numbers of a pixel that are held.</summary>
    public const int WorkingChannels = (int)Plane.Count;

    // The variance of colours, in the range from 0 to 1, up to which they are taken for noise.
    private const float Epsilon = 2e-4f;

    // Sums stay small, and so do the digits that differences of them lose.
    private const float MiddleColour = 0.5f;

    private readonly ReusableBuffer buffer = new();
    private Memory<float> memory;
    private int height;
    private int width;
    private int stride;
    private PixelRuns runs = new([]);
    private PixelRuns windows = new([]);
    private float[] inverseCounts = [];
    private bool[] isInWindow = [];
    private bool[] hasInput = [];
    private bool[] hasCoefficients = [];

    private enum Plane
    {
        Red,
        Green,
        Blue,
        MeanRed,
        MeanGreen,
        MeanBlue,
        RedRed,
        RedGreen,
        RedBlue,
        GreenGreen,
        GreenBlue,
        BlueBlue,
        Input,
        FactorRed,
        FactorGreen,
        FactorBlue,
        Constant,
        Count,
    }

    /// <summary>Prepares the colours of a rectangle of the photo.</summary>
    /// <param name="pixels">The rectangle.</param>
    /// <param name="filtered">The runs of pixels that are to be filtered.</param>
    /// <param name="centres">The centres of all windows that have one of those pixels.</param>
    public void Prepare(Region pixels, PixelRuns filtered, PixelRuns centres)
    {
        runs = filtered;
        windows = centres;
        height = pixels.Height;
        width = pixels.Width;
        stride = PixelRun.RoundUp(width);
        memory = buffer.Take((long)height * stride * (int)Plane.Count);
        inverseCounts = new float[stride];
        for (int x = 0; x < width; x++)
            inverseCounts[x] = 1f / (Math.Min(width - 1, x + radius) - Math.Max(0, x - radius) + 1);
        hasInput = new bool[height];
        hasCoefficients = new bool[height];
        isInWindow = new bool[height];
        for (int y = 0; y < height; y++)
        {
            if (windows.Rows[y].Length > 0)
                isInWindow.AsSpan(Math.Max(0, y - radius)..Math.Min(height, y + radius + 1)).Fill(true);
        }
        Parallel.For(0, height, y => LoadColours(pixels, y));
        ForRuns(windows, FindStatistics);
    }

    /// <summary>Filters a channel of numbers in place.</summary>
    public void Apply(Memory<float> values, int channels, int channel)
    {
        Parallel.For(0, height, y => LoadInput(values.Span, channels, channel, y));
        for (int y = 0; y < height; y++)
            hasCoefficients[y] = hasInput.AsSpan(Math.Max(0, y - radius)..Math.Min(height, y + radius + 1)).Contains(true);
        ForRuns(windows, FindCoefficients);
        ForRuns(runs, (run, sums) => ApplyCoefficients(values.Span, channels, channel, run, sums));
    }

    private void ForRuns(PixelRuns all, Action<PixelRun, WindowSums> action) =>
        Parallel.For(0, height, () => new WindowSums(stride, radius), (y, _, sums) =>
        {
            foreach (var (start, end) in all.Rows[y])
            {
                var run = new PixelRun(y, start, end);
                sums.Begin(run);
                action(run, sums);
            }
            return sums;
        }, static _ => { });

    private Span<float> Row(Plane plane, int y) => memory.Span.Slice(((int)plane * height + y) * stride, stride);

    private Span<Vector<float>> Vectors(Plane plane, PixelRun run) => Vectors(Row(plane, run.Row), run);

    private static Span<Vector<float>> Vectors(Span<float> row, PixelRun run) =>
        MemoryMarshal.Cast<float, Vector<float>>(row.Slice(run.First, run.Count));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LoadColours(Region pixels, int y)
    {
        if (!isInWindow[y])
            return;
        Span<float> red = Row(Plane.Red, y), green = Row(Plane.Green, y), blue = Row(Plane.Blue, y);
        var samples = photo.Samples.AsSpan(
            ((pixels.Row + y) * photo.Width + pixels.Column) * Photo.Channels, width * Photo.Channels);
        for (int x = 0; x < width; x++)
        {
            red[x] = samples[Photo.Channels * x] * Photo.SampleUnit - MiddleColour;
            green[x] = samples[Photo.Channels * x + 1] * Photo.SampleUnit - MiddleColour;
            blue[x] = samples[Photo.Channels * x + 2] * Photo.SampleUnit - MiddleColour;
        }
        red[width..].Clear();
        green[width..].Clear();
        blue[width..].Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void LoadInput(ReadOnlySpan<float> values, int channels, int channel, int y)
    {
        hasInput[y] = false;
        if (!isInWindow[y])
            return;
        var input = Row(Plane.Input, y);
        int from = y * width * channels + channel;
        if (channels == 1)
        {
            values.Slice(from, width).CopyTo(input);
        }
        else
        {
            for (int x = 0; x < width; x++)
                input[x] = values[from + x * channels];
        }
        input[width..].Clear();
        hasInput[y] = input.ContainsAnyExcept(0f);
    }

    /// <summary>Means of colours, and the inverse of their covariance with <see cref="Epsilon"/> on its diagonal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FindStatistics(PixelRun run, WindowSums sums)
    {
        var (first, rows) = WindowRows(run.Row);
        sums.AddMoments(RowsFrom(Plane.Red, first), RowsFrom(Plane.Green, first), RowsFrom(Plane.Blue, first), rows);
        var inverse = Vectors(inverseCounts, run);
        var inverseRows = new Vector<float>(1f / rows);
        var epsilon = new Vector<float>(Epsilon);
        Span<Vector<float>> sumR = sums[0], sumG = sums[1], sumB = sums[2];
        Span<Vector<float>> sumRR = sums[3], sumRG = sums[4], sumRB = sums[5];
        Span<Vector<float>> sumGG = sums[6], sumGB = sums[7], sumBB = sums[8];
        Span<Vector<float>> meanR = Vectors(Plane.MeanRed, run), meanG = Vectors(Plane.MeanGreen, run);
        Span<Vector<float>> meanB = Vectors(Plane.MeanBlue, run);
        Span<Vector<float>> inverseRR = Vectors(Plane.RedRed, run), inverseRG = Vectors(Plane.RedGreen, run);
        Span<Vector<float>> inverseRB = Vectors(Plane.RedBlue, run), inverseGG = Vectors(Plane.GreenGreen, run);
        Span<Vector<float>> inverseGB = Vectors(Plane.GreenBlue, run), inverseBB = Vectors(Plane.BlueBlue, run);
        for (int i = 0; i < inverse.Length; i++)
        {
            var factor = inverse[i] * inverseRows;
            Vector<float> r = sumR[i] * factor, g = sumG[i] * factor, b = sumB[i] * factor;
            var rr = sumRR[i] * factor - r * r + epsilon;
            var rg = sumRG[i] * factor - r * g;
            var rb = sumRB[i] * factor - r * b;
            var gg = sumGG[i] * factor - g * g + epsilon;
            var gb = sumGB[i] * factor - g * b;
            var bb = sumBB[i] * factor - b * b + epsilon;
            Vector<float> one = gg * bb - gb * gb, two = rb * gb - rg * bb, three = rg * gb - rb * gg;
            var scale = Vector<float>.One / (rr * one + rg * two + rb * three);
            meanR[i] = r;
            meanG[i] = g;
            meanB[i] = b;
            inverseRR[i] = one * scale;
            inverseRG[i] = two * scale;
            inverseRB[i] = three * scale;
            inverseGG[i] = (rr * bb - rb * rb) * scale;
            inverseGB[i] = (rg * rb - rr * gb) * scale;
            inverseBB[i] = (rr * gg - rg * rg) * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FindCoefficients(PixelRun run, WindowSums sums)
    {
        Span<Vector<float>> factorR = Vectors(Plane.FactorRed, run), factorG = Vectors(Plane.FactorGreen, run);
        Span<Vector<float>> factorB = Vectors(Plane.FactorBlue, run), constant = Vectors(Plane.Constant, run);
        if (!hasCoefficients[run.Row])
        {
            factorR.Clear();
            factorG.Clear();
            factorB.Clear();
            constant.Clear();
            return;
        }
        var (first, rows) = WindowRows(run.Row);
        sums.AddProducts(
            RowsFrom(Plane.Input, first),
            RowsFrom(Plane.Red, first),
            RowsFrom(Plane.Green, first),
            RowsFrom(Plane.Blue, first),
            rows);
        var inverse = Vectors(inverseCounts, run);
        var inverseRows = new Vector<float>(1f / rows);
        Span<Vector<float>> sum = sums[0], sumR = sums[1], sumG = sums[2], sumB = sums[3];
        Span<Vector<float>> meanR = Vectors(Plane.MeanRed, run), meanG = Vectors(Plane.MeanGreen, run);
        Span<Vector<float>> meanB = Vectors(Plane.MeanBlue, run);
        Span<Vector<float>> inverseRR = Vectors(Plane.RedRed, run), inverseRG = Vectors(Plane.RedGreen, run);
        Span<Vector<float>> inverseRB = Vectors(Plane.RedBlue, run), inverseGG = Vectors(Plane.GreenGreen, run);
        Span<Vector<float>> inverseGB = Vectors(Plane.GreenBlue, run), inverseBB = Vectors(Plane.BlueBlue, run);
        for (int i = 0; i < inverse.Length; i++)
        {
            // Beyond the width the count is 0, and so is all that follows from it.
            var factor = inverse[i] * inverseRows;
            var mean = sum[i] * factor;
            var withR = sumR[i] * factor - mean * meanR[i];
            var withG = sumG[i] * factor - mean * meanG[i];
            var withB = sumB[i] * factor - mean * meanB[i];
            var r = inverseRR[i] * withR + inverseRG[i] * withG + inverseRB[i] * withB;
            var g = inverseRG[i] * withR + inverseGG[i] * withG + inverseGB[i] * withB;
            var b = inverseRB[i] * withR + inverseGB[i] * withG + inverseBB[i] * withB;
            factorR[i] = r;
            factorG[i] = g;
            factorB[i] = b;
            constant[i] = mean - r * meanR[i] - g * meanG[i] - b * meanB[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyCoefficients(Span<float> values, int channels, int channel, PixelRun run, WindowSums sums)
    {
        int to = run.Row * width * channels + channel;
        var (first, rows) = WindowRows(run.Row);
        if (!hasCoefficients.AsSpan(first, rows).Contains(true))
        {
            for (int x = run.Start; x < run.End; x++)
                values[to + x * channels] = 0;
            return;
        }
        sums.Add(
            RowsFrom(Plane.FactorRed, first),
            RowsFrom(Plane.FactorGreen, first),
            RowsFrom(Plane.FactorBlue, first),
            RowsFrom(Plane.Constant, first),
            rows);
        var inverse = Vectors(inverseCounts, run);
        var inverseRows = new Vector<float>(1f / rows);
        Span<Vector<float>> sumR = sums[0], sumG = sums[1], sumB = sums[2], sum = sums[3];
        Span<Vector<float>> red = Vectors(Plane.Red, run), green = Vectors(Plane.Green, run), blue = Vectors(Plane.Blue, run);
        for (int i = 0; i < inverse.Length; i++)
            sumR[i] = (sumR[i] * red[i] + sumG[i] * green[i] + sumB[i] * blue[i] + sum[i]) * inverse[i] * inverseRows;
        var filtered = sums.Numbers(0);
        for (int x = run.Start; x < run.End; x++)
            values[to + x * channels] = filtered[x - run.First];
    }

    private (int First, int Count) WindowRows(int y)
    {
        int first = Math.Max(0, y - radius);
        return (first, Math.Min(height - 1, y + radius) - first + 1);
    }

    private Span<float> RowsFrom(Plane plane, int y) =>
        memory.Span[(((int)plane * height + y) * stride)..(((int)plane + 1) * height * stride)];
}
