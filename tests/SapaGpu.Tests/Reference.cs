namespace SapaGpu.Tests;

/// <summary>
/// The operators in plain loops, written from their definitions and sharing nothing with the kernels. Gradients come
/// from running them with derivatives, one input element at a time.
/// </summary>
public static class Reference
{
    public static ReferenceMap Similarity(ReferenceMap query, ReferenceMap key, int window)
    {
        int scale = query.Shape.Height / key.Shape.Height;
        int radius = window / 2;
        var scores = new ReferenceMap(
            new TensorShape(query.Shape.Batch, window * window, query.Shape.Height, query.Shape.Width));
        for (int b = 0; b < query.Shape.Batch; b++)
        {
            for (int y = 0; y < query.Shape.Height; y++)
            {
                for (int x = 0; x < query.Shape.Width; x++)
                {
                    for (int tap = 0; tap < window * window; tap++)
                    {
                        int keyRow = y / scale + tap / window - radius;
                        int keyColumn = x / scale + tap % window - radius;
                        if (!key.Holds(keyRow, keyColumn))
                            continue;
                        for (int c = 0; c < query.Shape.Channels; c++)
                            scores[b, tap, y, x] += query[b, c, y, x] * key[b, c, keyRow, keyColumn];
                    }
                }
            }
        }
        return scores;
    }

    public static ReferenceMap Reassembly(ReferenceMap weights, ReferenceMap value)
    {
        int scale = weights.Shape.Height / value.Shape.Height;
        int window = (int)Math.Sqrt(weights.Shape.Channels);
        int radius = window / 2;
        var output = new ReferenceMap(
            new TensorShape(weights.Shape.Batch, value.Shape.Channels, weights.Shape.Height, weights.Shape.Width));
        for (int b = 0; b < output.Shape.Batch; b++)
        {
            for (int y = 0; y < output.Shape.Height; y++)
            {
                for (int x = 0; x < output.Shape.Width; x++)
                {
                    for (int tap = 0; tap < window * window; tap++)
                    {
                        int row = y / scale + tap / window - radius;
                        int column = x / scale + tap % window - radius;
                        if (!value.Holds(row, column))
                            continue;
                        for (int c = 0; c < output.Shape.Channels; c++)
                            output[b, c, y, x] += weights[b, tap, y, x] * value[b, c, row, column];
                    }
                }
            }
        }
        return output;
    }

    /// <summary>Softmax over the taps of a map of scores.</summary>
    public static ReferenceMap Softmax(ReferenceMap scores, int scale, BorderRule border)
    {
        int window = (int)Math.Sqrt(scores.Shape.Channels);
        int height = scores.Shape.Height / scale;
        int width = scores.Shape.Width / scale;
        var weights = new ReferenceMap(scores.Shape);
        for (int b = 0; b < scores.Shape.Batch; b++)
        {
            for (int y = 0; y < scores.Shape.Height; y++)
            {
                for (int x = 0; x < scores.Shape.Width; x++)
                {
                    bool Counts(int tap)
                    {
                        int row = y / scale + tap / window - window / 2;
                        int column = x / scale + tap % window - window / 2;
                        return border == BorderRule.ZeroLogit
                            || (row >= 0 && row < height && column >= 0 && column < width);
                    }

                    var taps = Enumerable.Range(0, window * window).Where(Counts).ToArray();
                    double maximum = double.NegativeInfinity;
                    foreach (int tap in taps)
                        maximum = Math.Max(maximum, scores[b, tap, y, x].Value);
                    Dual sum = 0;
                    foreach (int tap in taps)
                        sum += Dual.Exp(scores[b, tap, y, x] - maximum);
                    foreach (int tap in taps)
                        weights[b, tap, y, x] = Dual.Exp(scores[b, tap, y, x] - maximum) / sum;
                }
            }
        }
        return weights;
    }

    public static ReferenceMap Attention(
        ReferenceMap query, ReferenceMap key, ReferenceMap value, int window, BorderRule border)
    {
        int scale = query.Shape.Height / key.Shape.Height;
        return Reassembly(Softmax(Similarity(query, key, window), scale, border), value);
    }

    /// <summary>LayerNorm over the channels of each pixel.</summary>
    public static ReferenceMap LayerNorm(ReferenceMap input, ReferenceMap weight, ReferenceMap bias, double epsilon)
    {
        var output = new ReferenceMap(input.Shape);
        int channels = input.Shape.Channels;
        ForEachPixel(input.Shape, (b, y, x) =>
        {
            Dual mean = 0;
            for (int c = 0; c < channels; c++)
                mean += input[b, c, y, x] / channels;
            Dual variance = 0;
            for (int c = 0; c < channels; c++)
                variance += (input[b, c, y, x] - mean) * (input[b, c, y, x] - mean) / channels;
            var deviation = Dual.Sqrt(variance + epsilon);
            for (int c = 0; c < channels; c++)
            {
                output[b, c, y, x] =
                    (input[b, c, y, x] - mean) / deviation * weight.Values[c] + bias.Values[c];
            }
        });
        return output;
    }

    /// <summary>A linear map of the channels of each pixel; the weight is [O, I, 1, 1].</summary>
    public static ReferenceMap Linear(ReferenceMap input, ReferenceMap weight, ReferenceMap? bias)
    {
        int outputs = weight.Shape.Batch;
        int inputs = weight.Shape.Channels;
        var output = new ReferenceMap(
            new TensorShape(input.Shape.Batch, outputs, input.Shape.Height, input.Shape.Width));
        ForEachPixel(input.Shape, (b, y, x) =>
        {
            for (int o = 0; o < outputs; o++)
            {
                Dual sum = bias is null ? 0 : bias.Values[o];
                for (int i = 0; i < inputs; i++)
                    sum += weight[o, i, 0, 0] * input[b, i, y, x];
                output[b, o, y, x] = sum;
            }
        });
        return output;
    }

    /// <summary>SAPA-B with the parameters by their names.</summary>
    public static ReferenceMap SapaB(
        ReferenceMap encoder,
        ReferenceMap decoder,
        IReadOnlyDictionary<string, ReferenceMap> parameters,
        int window,
        BorderRule border,
        double epsilon)
    {
        var query = Linear(
            LayerNorm(encoder, parameters["norm_y.weight"], parameters["norm_y.bias"], epsilon),
            parameters["q.weight"],
            parameters.GetValueOrDefault("q.bias"));
        var key = Linear(
            LayerNorm(decoder, parameters["norm_x.weight"], parameters["norm_x.bias"], epsilon),
            parameters["k.weight"],
            parameters.GetValueOrDefault("k.bias"));
        return Attention(query, key, decoder, window, border);
    }

    /// <summary>The gradient of Σ output·gradOutput with respect to one of the inputs of a forward.</summary>
    public static double[] Gradient(Func<ReferenceMap> forward, ReferenceMap input, ReferenceMap gradOutput)
    {
        var gradient = new double[input.Values.Length];
        for (int i = 0; i < gradient.Length; i++)
        {
            var kept = input.Values[i];
            input.Values[i] = new Dual(kept.Value, 1);
            var output = forward();
            input.Values[i] = kept;
            for (int j = 0; j < output.Values.Length; j++)
                gradient[i] += output.Values[j].Derivative * gradOutput.Values[j].Value;
        }
        return gradient;
    }

    private static void ForEachPixel(TensorShape shape, Action<int, int, int> action)
    {
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                    action(b, y, x);
            }
        }
    }
}
