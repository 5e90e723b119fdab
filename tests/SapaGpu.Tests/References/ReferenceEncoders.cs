namespace SapaGpu.Tests;

/// <summary>
/// The encoders of queries and keys of NAF and AnyUp in plain loops, with their parameters by name, written from the definitions
/// of the modules.
/// </summary>
public static class ReferenceEncoders
{
    /// <summary>Queries and keys of NAF.</summary>
    public static (ReferenceMap Query, ReferenceMap Key) Naf(
        NafOptions options,
        ReferenceMap image,
        MapShape features,
        MapShape output,
        IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        var limited = Limit(image, output);
        var encoded = ReferenceMaps.Concatenate(
            Encode("image_encoder.encoder"), Encode("image_encoder.sem_encoder"));
        var periods = parameters["image_encoder.rope.periods"];
        var query = Rotate(
            Pool(encoded, output.Height, output.Width),
            options.Channels / options.RotaryHeads,
            (channel, row, column, shape) =>
            {
                int count = options.Channels / options.RotaryHeads / 4;
                double place = channel / count % 2 == 0 ? Centre(row, shape.Height) : Centre(column, shape.Width);
                return Math.Tau * place / periods.Values[channel % count];
            });
        return (query, Pool(query, features.Height, features.Width));

        ReferenceMap Encode(string name)
        {
            var map = Convolve(limited, $"{name}.0", parameters, mirrors: true);
            for (int block = 1; block <= options.Blocks; block++)
            {
                for (int part = 1; part <= 2; part++)
                {
                    var active = NormSilu(map, $"{name}.{block}.norm{part}", options.NormGroups, options.Epsilon, parameters);
                    map = Convolve(active, $"{name}.{block}.conv{part}", parameters, mirrors: true);
                }
            }
            return map;
        }
    }

    /// <summary>Queries and keys of AnyUp.</summary>
    public static (ReferenceMap Query, ReferenceMap Key) AnyUp(
        AnyUpOptions options,
        ReferenceMap image,
        ReferenceMap features,
        MapShape output,
        IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        const string Attended = "cross_decode.cross_attn";
        var factors = parameters["rope.freqs"];
        var pixels = Blocks("image_encoder", Convolve(image, "image_encoder.0", parameters, mirrors: true));
        var encoded = Rotate(
            pixels,
            options.Channels,
            (channel, row, column, shape) => factors[0, channel, 0, 0] * Part(row, shape.Height)
                + factors[1, channel, 0, 0] * Part(column, shape.Width));
        var queries = Pool(
            Blocks("query_encoder", Convolve(encoded, "query_encoder.0", parameters, mirrors: false)),
            output.Height,
            output.Width);
        var query = Projected(
            Convolve(queries, "cross_decode.conv2d", parameters, mirrors: false), $"{Attended}.norm_q.weight", place: 0);
        var fromImage = Pool(
            Blocks("key_encoder", Convolve(encoded, "key_encoder.0", parameters, mirrors: false)),
            features.Shape.Height,
            features.Shape.Width);
        var unified = Unify(Unit(features), parameters["key_features_encoder.0.basis"]);
        var joined = ReferenceMaps.Concatenate(fromImage, Blocks("key_features_encoder", unified));
        var aggregated = Blocks("aggregation", Convolve(joined, "aggregation.0", parameters, mirrors: true));
        return (query, Projected(aggregated, $"{Attended}.norm_k.weight", place: 1));

        ReferenceMap Blocks(string name, ReferenceMap map)
        {
            for (int block = 1; block <= 2; block++)
            {
                string own = $"{name}.{block}";
                var direct = parameters.ContainsKey($"{own}.shortcut.weight")
                    ? Convolve(map, $"{own}.shortcut", parameters, mirrors: false)
                    : map;
                foreach (int layer in (ReadOnlySpan<int>)[0, 3])
                {
                    var active = NormSilu(map, $"{own}.block.{layer}", options.NormGroups, options.Epsilon, parameters);
                    map = Convolve(active, $"{own}.block.{layer + 2}", parameters, mirrors: false);
                }
                map = Sum(map, direct);
            }
            return map;
        }

        // RMSNorm, then one of the stacked projections.
        ReferenceMap Projected(ReferenceMap map, string norm, int place)
        {
            var scaled = RootMeanSquare(map, parameters[norm], options.RootMeanSquareEpsilon);
            var weight = parameters[$"{Attended}.attention.in_proj_weight"];
            var bias = parameters[$"{Attended}.attention.in_proj_bias"];
            int first = place * options.Channels;
            return ReferenceMaps.Build(map.Shape, (b, o, y, x) =>
            {
                var sum = bias.Values[first + o];
                for (int i = 0; i < options.Channels; i++)
                    sum += weight[first + o, i, 0, 0] * scaled[b, i, y, x];
                return sum;
            });
        }
    }

    /// <summary>Means over the cells from ⌊i·n/N⌋ to before ⌈(i + 1)·n/N⌉.</summary>
    public static ReferenceMap Pool(ReferenceMap input, int height, int width)
    {
        var shape = input.Shape;
        return ReferenceMaps.Build(new MapShape(shape.Batch, shape.Channels, height, width), (b, c, y, x) =>
        {
            var (top, bottom) = (y * shape.Height / height, ((y + 1) * shape.Height + height - 1) / height);
            var (left, right) = (x * shape.Width / width, ((x + 1) * shape.Width + width - 1) / width);
            Dual sum = 0;
            for (int row = top; row < bottom; row++)
            {
                for (int column = left; column < right; column++)
                    sum += input[b, c, row, column];
            }
            return sum / ((bottom - top) * (right - left));
        });
    }

    /// <summary>
    /// The mean over channels of a softmax over kernels, of responses numbered c·O + o and read as o'·C + c'.
    /// </summary>
    public static ReferenceMap Unify(ReferenceMap input, ReferenceMap basis)
    {
        int kernels = basis.Shape.Batch, channels = input.Shape.Channels, window = basis.Shape.Height;
        var output = new ReferenceMap(ReferenceMaps.WithChannels(input.Shape, kernels));
        var responses = new Dual[channels * kernels];
        for (int b = 0; b < input.Shape.Batch; b++)
        {
            for (int y = 0; y < input.Shape.Height; y++)
            {
                for (int x = 0; x < input.Shape.Width; x++)
                {
                    for (int c = 0; c < channels; c++)
                    {
                        for (int o = 0; o < kernels; o++)
                            responses[c * kernels + o] = Response(b, c, o, y, x);
                    }
                    for (int c = 0; c < channels; c++)
                    {
                        Dual sum = 0;
                        for (int o = 0; o < kernels; o++)
                            sum += Dual.Exp(responses[o * channels + c]);
                        for (int o = 0; o < kernels; o++)
                            output[b, o, y, x] += Dual.Exp(responses[o * channels + c]) / sum / channels;
                    }
                }
            }
        }
        return output;

        Dual Response(int b, int c, int o, int y, int x)
        {
            Dual sum = 0;
            int taps = 0;
            for (int tap = 0; tap < window * window; tap++)
            {
                var (row, column) = (y + tap / window - window / 2, x + tap % window - window / 2);
                if (!input.Holds(row, column))
                    continue;
                taps++;
                sum += basis[o, 0, tap / window, tap % window] * input[b, c, row, column];
            }
            return sum / taps;
        }
    }

    // The image of more than four times the output is resized to at most four times its shorter side.
    private static ReferenceMap Limit(ReferenceMap image, MapShape output)
    {
        const int Ratio = 4;
        if (image.Shape.Height <= Ratio * output.Height && image.Shape.Width <= Ratio * output.Width)
            return image;
        int most = Ratio * Math.Min(output.Height, output.Width);
        return ReferenceInterpolation.Resize(
            image,
            Math.Min(image.Shape.Height, most),
            Math.Min(image.Shape.Width, most),
            InterpolationMode.Bilinear,
            alignCorners: false);
    }

    private static ReferenceMap Convolve(
        ReferenceMap input, string name, IReadOnlyDictionary<string, ReferenceMap> parameters, bool mirrors)
    {
        var weight = parameters[$"{name}.weight"];
        var bias = parameters.GetValueOrDefault($"{name}.bias");
        var (height, width, kernel) = (input.Shape.Height, input.Shape.Width, weight.Shape.Height);
        return ReferenceMaps.Build(ReferenceMaps.WithChannels(input.Shape, weight.Shape.Batch), (b, o, y, x) =>
        {
            Dual sum = bias is null ? 0 : bias.Values[o];
            for (int tap = 0; tap < kernel * kernel; tap++)
            {
                int row = y + tap / kernel - kernel / 2;
                int column = x + tap % kernel - kernel / 2;
                if (mirrors)
                    (row, column) = (Mirror(row, height), Mirror(column, width));
                if (!input.Holds(row, column))
                    continue;
                for (int i = 0; i < input.Shape.Channels; i++)
                    sum += weight[o, i, tap / kernel, tap % kernel] * input[b, i, row, column];
            }
            return sum;
        });

        static int Mirror(int at, int length) => at < 0 ? -at : at >= length ? 2 * length - 2 - at : at;
    }

    private static ReferenceMap NormSilu(
        ReferenceMap input, string name, int groups, double epsilon, IReadOnlyDictionary<string, ReferenceMap> parameters)
    {
        var map = ReferenceModules.GroupNorm(
            input, groups, parameters[$"{name}.weight"], parameters[$"{name}.bias"], epsilon);
        for (int i = 0; i < map.Values.Length; i++)
            map.Values[i] *= Dual.Sigmoid(map.Values[i]);
        return map;
    }

    // The halves of a head's channels are the components of pairs; each has an angle of its own.
    private static ReferenceMap Rotate(
        ReferenceMap input, int headChannels, Func<int, int, int, MapShape, Dual> angle) =>
        ReferenceMaps.Build(input.Shape, (b, c, y, x) =>
        {
            int channel = c % headChannels;
            bool isFirst = channel < headChannels / 2;
            var turn = angle(channel, y, x, input.Shape);
            var turned = input[b, isFirst ? c + headChannels / 2 : c - headChannels / 2, y, x] * Dual.Sin(turn);
            return input[b, c, y, x] * Dual.Cos(turn) + (isFirst ? 0 - turned : turned);
        });

    private static ReferenceMap RootMeanSquare(ReferenceMap input, ReferenceMap weight, double epsilon) => PerPixel(
        input, (squares, channels) => Dual.Sqrt(squares / channels + epsilon), c => weight.Values[c]);

    private static ReferenceMap Unit(ReferenceMap input)
    {
        const double Least = 1e-12;
        return PerPixel(
            input, (squares, _) => squares.Value > Least * Least ? Dual.Sqrt(squares) : Least, _ => 1);
    }

    private static ReferenceMap PerPixel(ReferenceMap input, Func<Dual, int, Dual> norm, Func<int, Dual> weight)
    {
        var output = new ReferenceMap(input.Shape);
        var shape = input.Shape;
        for (int b = 0; b < shape.Batch; b++)
        {
            for (int y = 0; y < shape.Height; y++)
            {
                for (int x = 0; x < shape.Width; x++)
                {
                    Dual squares = 0;
                    for (int c = 0; c < shape.Channels; c++)
                        squares += input[b, c, y, x] * input[b, c, y, x];
                    var divisor = norm(squares, shape.Channels);
                    for (int c = 0; c < shape.Channels; c++)
                        output[b, c, y, x] = input[b, c, y, x] / divisor * weight(c);
                }
            }
        }
        return output;
    }

    private static ReferenceMap Sum(ReferenceMap first, ReferenceMap second) =>
        ReferenceMaps.Build(first.Shape, (b, c, y, x) => first[b, c, y, x] + second[b, c, y, x]);

    // Pixel centres in [−1, 1].
    private static double Centre(int index, int length) => (2.0 * index + 1) / length - 1;

    // From 0 at the first to 1 at the last.
    private static double Part(int index, int length) => length == 1 ? 0 : (double)index / (length - 1);
}
