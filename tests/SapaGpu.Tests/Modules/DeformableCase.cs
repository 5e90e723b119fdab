namespace SapaGpu.Tests.Modules;

/// <summary>
/// A case of <see cref="SapaDeformableUpsampler{T}"/> whose points keep away from whole coordinates, where gradients
/// jump.
/// </summary>
public sealed class DeformableCase : ModuleCase
{
    private readonly SapaDeformableOptions options;
    private readonly ReferenceMap encoder;
    private readonly ReferenceMap decoder;

    private DeformableCase(SapaDeformableOptions options, int batch, int height, int width)
    {
        this.options = options;
        var random = new Random(5);
        int scale = options.Scale;
        encoder = ReferenceMap.Random(
            random, new MapShape(batch, options.EncoderChannels, height * scale, width * scale));
        decoder = ReferenceMap.Random(random, new MapShape(batch, options.DecoderChannels, height, width));
        GradOutput = ReferenceMap.Random(random, ReferenceMaps.WithChannels(encoder.Shape, options.DecoderChannels));
        Inputs = new Dictionary<string, ReferenceMap> { ["y"] = encoder, ["x"] = decoder };
        Draw(random, magnitude: 0.5);
        PlacePoints(random);
    }

    public override IReadOnlyDictionary<string, ReferenceMap> Inputs { get; }

    public override ReferenceMap GradOutput { get; }

    /// <summary>Gets how near a coordinate of a point comes to a whole number.</summary>
    public double Clearance => ReferenceModules.Offsets(options, decoder, Parameters).Values
        .Min(offset => Math.Abs(offset.Value - Math.Round(offset.Value)));

    /// <summary>A case whose inputs are rounded to an element type.</summary>
    public static DeformableCase Of<T>(SapaDeformableOptions options, int batch = 1, int height = 2, int width = 3)
        where T : unmanaged
    {
        var result = new DeformableCase(options, batch, height, width);
        foreach (var map in result.Inputs.Values.Append(result.GradOutput))
            map.Rounded<T>();
        return result;
    }

    public override ReferenceMap Forward() => ReferenceModules.Deformable(options, encoder, decoder, Parameters);

    public override UpsamplerModule<T> Create<T>(
        ComputeDevice device) => new SapaDeformableUpsampler<T>(device, options);

    public override FeatureMap<T> Forward<T>(UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs) =>
        ((SapaDeformableUpsampler<T>)module).Forward(inputs[0], inputs[1]);

    public override void Forward<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> output) =>
        ((SapaDeformableUpsampler<T>)module).Forward(inputs[0], inputs[1], output);

    public override ModuleResults<T> Run<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> gradOutput)
    {
        var own = (SapaDeformableUpsampler<T>)module;
        var output = own.Forward(inputs[0], inputs[1], out var context);
        using (context)
        {
            var gradients = own.Backward(context, gradOutput);
            return new(output, [gradients.Encoder, gradients.Decoder], gradients.Parameters, gradients);
        }
    }

    // The first decoder channel is nearly 1 and carries offsets of about half a cell beyond -2 to 1 whole ones; the
    // others move them a little.
    private void PlacePoints(Random random)
    {
        int plane = decoder.Shape.Height * decoder.Shape.Width;
        if (options.FeatureNorm == FeatureNormKind.Group)
        {
            Parameters["norm_x.weight"].Values[0] = 0.0625;
            Parameters["norm_x.bias"].Values[0] = 1;
        }
        else
        {
            for (int i = 0; i < decoder.Values.Length; i++)
            {
                if (i / plane % options.DecoderChannels == 0)
                    decoder.Values[i] = (float)(1 + 0.05 * decoder.Values[i].Value);
            }
        }
        var weight = Parameters["offset.weight"];
        for (int i = 0; i < weight.Values.Length; i++)
        {
            weight.Values[i] = i % options.DecoderChannels == 0
                ? (float)(random.Next(-2, 2) + 0.5 + 0.1 * weight.Values[i].Value)
                : (float)(0.02 * weight.Values[i].Value);
        }
        if (Parameters.TryGetValue("offset.bias", out var bias))
        {
            for (int i = 0; i < bias.Values.Length; i++)
                bias.Values[i] = (float)(0.05 * bias.Values[i].Value);
        }
    }
}
