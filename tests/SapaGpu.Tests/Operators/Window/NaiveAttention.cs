using System.Numerics;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Window attention as a framework puts it together: scores, softmax and reassembly one after the other, forward and
/// backward. Every tensor in between is stored, which rounds it; every sum is accumulated in <typeparamref name="T"/>.
/// One head, softmax, borders of the kind ZeroLogit, an integer ratio.
/// </summary>
/// <typeparam name="T">The type that is computed in.</typeparam>
/// <param name="operands">The problem.</param>
/// <param name="store">Rounds a number as storing it does.</param>
public sealed class NaiveAttention<T>(OptionsCase operands, Func<T, T> store)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[] query = Read(operands.Query);
    private readonly T[] key = Read(operands.Key);
    private readonly T[] value = Read(operands.Value);
    private readonly T[] gradOutput = Read(operands.GradOutput);
    private readonly int taps = operands.Shape.Window * operands.Shape.Window;

    /// <summary>The output and the gradients of query, key and value.</summary>
    public double[][] Run()
    {
        var (q, k, v) = (operands.Query.Shape, operands.Key.Shape, operands.Value.Shape);
        var scores = Similarity(query, key, q.Channels);
        var weights = Softmax(scores);
        var output = Reassembly(weights, value, v.Channels);
        var gradWeights = Similarity(gradOutput, value, v.Channels);
        var gradScores = SoftmaxBackward(weights, gradWeights);
        return
        [
            Write(output),
            Write(Reassembly(gradScores, key, k.Channels)),
            Write(Transposed(gradScores, query, k.Channels)),
            Write(Transposed(weights, gradOutput, v.Channels)),
        ];
    }

    private static T[] Read(ReferenceMap map) => Array.ConvertAll(map.ToArray(), T.CreateChecked);

    private static double[] Write(T[] values) => Array.ConvertAll(values, double.CreateChecked);

    private T[] Similarity(T[] high, T[] low, int channels)
    {
        var result = new T[High(taps)];
        ForEachTap((image, query, cell, tap) =>
        {
            var sum = T.Zero;
            for (int c = 0; c < channels; c++)
                sum += high[HighAt(image, c, channels, query)] * low[LowAt(image, c, channels, cell)];
            result[HighAt(image, tap, taps, query)] = store(sum);
        });
        return result;
    }

    private T[] Reassembly(T[] weights, T[] low, int channels)
    {
        var sums = new T[High(channels)];
        ForEachTap((image, query, cell, tap) =>
        {
            for (int c = 0; c < channels; c++)
            {
                sums[HighAt(image, c, channels, query)] +=
                    weights[HighAt(image, tap, taps, query)] * low[LowAt(image, c, channels, cell)];
            }
        });
        return Array.ConvertAll(sums, sum => store(sum));
    }

    private T[] Transposed(T[] weights, T[] high, int channels)
    {
        var map = operands.Key.Shape;
        var sums = new T[map.Batch * channels * map.Height * map.Width];
        ForEachTap((image, query, cell, tap) =>
        {
            for (int c = 0; c < channels; c++)
            {
                sums[LowAt(image, c, channels, cell)] +=
                    weights[HighAt(image, tap, taps, query)] * high[HighAt(image, c, channels, query)];
            }
        });
        return Array.ConvertAll(sums, sum => store(sum));
    }

    private T[] Softmax(T[] scores)
    {
        var weights = new T[scores.Length];
        ForEachQuery((image, query) =>
        {
            int At(int tap) => HighAt(image, tap, taps, query);

            var maximum = scores[At(0)];
            for (int tap = 1; tap < taps; tap++)
                maximum = T.Max(maximum, scores[At(tap)]);
            var sum = T.Zero;
            for (int tap = 0; tap < taps; tap++)
                sum += T.Exp(scores[At(tap)] - maximum);
            for (int tap = 0; tap < taps; tap++)
                weights[At(tap)] = store(T.Exp(scores[At(tap)] - maximum) / sum);
        });
        return weights;
    }

    private T[] SoftmaxBackward(T[] weights, T[] gradWeights)
    {
        var gradScores = new T[weights.Length];
        ForEachQuery((image, query) =>
        {
            int At(int tap) => HighAt(image, tap, taps, query);

            var mean = T.Zero;
            for (int tap = 0; tap < taps; tap++)
                mean += weights[At(tap)] * gradWeights[At(tap)];
            for (int tap = 0; tap < taps; tap++)
                gradScores[At(tap)] = store(weights[At(tap)] * (gradWeights[At(tap)] - mean));
        });
        return gradScores;
    }

    private int High(int channels) =>
        operands.Query.Shape.Batch * channels * operands.Query.Shape.Height * operands.Query.Shape.Width;

    private int HighAt(int image, int channel, int channels, int query) =>
        (image * channels + channel) * operands.Query.Shape.Height * operands.Query.Shape.Width + query;

    private int LowAt(int image, int channel, int channels, int cell) =>
        (image * channels + channel) * operands.Key.Shape.Height * operands.Key.Shape.Width + cell;

    private void ForEachQuery(Action<int, int> action)
    {
        for (int image = 0; image < operands.Query.Shape.Batch; image++)
        {
            for (int query = 0; query < operands.Query.Shape.Height * operands.Query.Shape.Width; query++)
                action(image, query);
        }
    }

    // Every query with every cell of its window that lies inside the map.
    private void ForEachTap(Action<int, int, int, int> action)
    {
        var map = operands.Key.Shape;
        int width = operands.Query.Shape.Width;
        int scale = width / map.Width;
        int window = operands.Shape.Window;
        ForEachQuery((image, query) =>
        {
            for (int tap = 0; tap < taps; tap++)
            {
                int row = query / width / scale + tap / window - window / 2;
                int column = query % width / scale + tap % window - window / 2;
                if (row >= 0 && row < map.Height && column >= 0 && column < map.Width)
                    action(image, query, row * map.Width + column, tap);
            }
        });
    }
}
