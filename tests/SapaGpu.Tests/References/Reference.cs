namespace SapaGpu.Tests;

/// <summary>
/// The operators in plain loops, written from their definitions and sharing nothing with the kernels. Gradients come
/// from running them with derivatives, one input element at a time.
/// </summary>
public static class Reference
{
    /// <summary>
    /// scores[head·K² + tap] = ⟨query, key at tap⟩ over the channels of the head; 0 where there is no cell.
    /// </summary>
    public static ReferenceMap Similarity(ReferenceMap query, ReferenceMap key, WindowAttentionOptions options)
    {
        int taps = options.Window * options.Window;
        int channels = key.Shape.Channels / options.Heads;
        var scores = new ReferenceMap(
            new MapShape(query.Shape.Batch, options.Heads * taps, query.Shape.Height, query.Shape.Width));
        ForEachPixel(query.Shape, (b, y, x) =>
        {
            for (int tap = 0; tap < taps; tap++)
            {
                if (ReferenceWindow.Cell(key.Shape, query.Shape, options, y, x, tap) is not (int row, int column))
                    continue;
                for (int head = 0; head < options.Heads; head++)
                {
                    Dual sum = 0;
                    for (int c = head * channels; c < (head + 1) * channels; c++)
                        sum += query[b, c, y, x] * key[b, c, row, column];
                    scores[b, head * taps + tap, y, x] = sum;
                }
            }
        });
        return scores;
    }

    /// <inheritdoc cref="Similarity(ReferenceMap, ReferenceMap, WindowAttentionOptions)"/>
    public static ReferenceMap Similarity(ReferenceMap query, ReferenceMap key, int window) =>
        Similarity(query, key, new WindowAttentionOptions { Window = window });

    /// <summary>Scores to weights, each head for itself; the shape of the key says which taps lie outside.</summary>
    public static ReferenceMap Weights(ReferenceMap scores, MapShape key, WindowAttentionOptions options)
    {
        int taps = options.Window * options.Window;
        var weights = new ReferenceMap(scores.Shape);
        ForEachPixel(scores.Shape, (b, y, x) =>
        {
            for (int head = 0; head < options.Heads; head++)
            {
                var counted = new List<int>();
                for (int tap = 0; tap < taps; tap++)
                {
                    bool hasCell = ReferenceWindow.Cell(key, scores.Shape, options, y, x, tap) is not null;
                    if (hasCell || options.Border != BorderRule.Masked)
                        counted.Add(head * taps + tap);
                }
                double maximum = double.NegativeInfinity;
                foreach (int channel in counted)
                    maximum = Math.Max(maximum, scores[b, channel, y, x].Value);
                Dual sum = 0;
                foreach (int channel in counted)
                {
                    var score = scores[b, channel, y, x];
                    var power = options.Normalisation switch
                    {
                        ScoreNormalisation.Softmax => Dual.Exp(score - maximum),
                        ScoreNormalisation.Sigmoid => Dual.Sigmoid(score),
                        _ => score,
                    };
                    weights[b, channel, y, x] = power;
                    sum += power;
                }
                if (options.Normalisation == ScoreNormalisation.None)
                    continue;
                foreach (int channel in counted)
                    weights[b, channel, y, x] /= sum;
            }
        });
        return weights;
    }

    /// <summary>The mean of the weights over the heads.</summary>
    public static ReferenceMap Mean(ReferenceMap weights, int heads)
    {
        int taps = weights.Shape.Channels / heads;
        var mean = new ReferenceMap(
            new MapShape(weights.Shape.Batch, taps, weights.Shape.Height, weights.Shape.Width));
        ForEachPixel(weights.Shape, (b, y, x) =>
        {
            for (int channel = 0; channel < weights.Shape.Channels; channel++)
                mean[b, channel % taps, y, x] += weights[b, channel, y, x] / heads;
        });
        return mean;
    }

    /// <summary>output = Σ weights · value at tap, every head its own channels or all of them.</summary>
    public static ReferenceMap Reassembly(ReferenceMap weights, ReferenceMap value, WindowAttentionOptions options)
    {
        int taps = options.Window * options.Window;
        bool shared = options.HeadValue == HeadValue.Shared;
        int channels = shared ? value.Shape.Channels : value.Shape.Channels / options.Heads;
        var output = new ReferenceMap(new MapShape(
            weights.Shape.Batch, options.Heads * channels, weights.Shape.Height, weights.Shape.Width));
        ForEachPixel(output.Shape, (b, y, x) =>
        {
            for (int tap = 0; tap < taps; tap++)
            {
                if (ReferenceWindow.Cell(value.Shape, weights.Shape, options, y, x, tap) is not (int row, int column))
                    continue;
                for (int c = 0; c < output.Shape.Channels; c++)
                {
                    int head = c / channels;
                    int source = shared ? c % channels : c;
                    output[b, c, y, x] += weights[b, head * taps + tap, y, x] * value[b, source, row, column];
                }
            }
        });
        return output;
    }

    /// <inheritdoc cref="Reassembly(ReferenceMap, ReferenceMap, WindowAttentionOptions)"/>
    public static ReferenceMap Reassembly(ReferenceMap weights, ReferenceMap value, int heads = 1) => Reassembly(
        weights,
        value,
        new WindowAttentionOptions { Window = (int)Math.Sqrt(weights.Shape.Channels / heads), Heads = heads });

    public static ReferenceMap Attention(
        ReferenceMap query, ReferenceMap key, ReferenceMap value, WindowAttentionOptions options) =>
        Reassembly(Weights(Similarity(query, key, options), key.Shape, options), value, options);

    public static ReferenceMap Attention(
        ReferenceMap query, ReferenceMap key, ReferenceMap value, int window, BorderRule border) =>
        Attention(query, key, value, new WindowAttentionOptions { Window = window, Border = border });

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
            new MapShape(input.Shape.Batch, outputs, input.Shape.Height, input.Shape.Width));
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

    private static void ForEachPixel(MapShape shape, Action<int, int, int> action)
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
