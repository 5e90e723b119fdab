namespace SapaGpu.Tests.Modules;

/// <summary>The sizes of the maps that a SAPA module is given.</summary>
public sealed record SapaSizes(int Batch, int Height, int Width, int OutputHeight, int OutputWidth)
{
    public static SapaSizes Small { get; } = new(2, 2, 3, 4, 6);

    public static SapaSizes Odd { get; } = new(1, 2, 3, 5, 4);

    public override string ToString() => $"B{Batch} {Height}x{Width} to {OutputHeight}x{OutputWidth}";
}

/// <summary>A case of <see cref="SapaUpsampler{T}"/>.</summary>
public sealed class SapaCase : ModuleCase
{
    private static readonly Dictionary<(SapaOptions Options, SapaSizes Sizes, ElementType Rounding), SapaCase> Known =
        [];

    private readonly SapaOptions options;
    private readonly ReferenceMap encoder;
    private readonly ReferenceMap decoder;

    private SapaCase(SapaOptions options, SapaSizes sizes)
    {
        this.options = options;
        var random = new Random(2);
        encoder = ReferenceMap.Random(
            random, new MapShape(sizes.Batch, options.EncoderChannels, sizes.OutputHeight, sizes.OutputWidth));
        decoder = ReferenceMap.Random(
            random, new MapShape(sizes.Batch, options.DecoderChannels, sizes.Height, sizes.Width));
        GradOutput = ReferenceMap.Random(random, ReferenceMaps.WithChannels(encoder.Shape, options.OutputChannels));
        Inputs = new Dictionary<string, ReferenceMap> { ["y"] = encoder, ["x"] = decoder };
        Draw(random, magnitude: 0.5);
    }

    public override IReadOnlyDictionary<string, ReferenceMap> Inputs { get; }

    public override ReferenceMap GradOutput { get; }

    /// <summary>The case whose inputs are rounded to an element type.</summary>
    public static SapaCase Of<T>(SapaOptions options, SapaSizes sizes)
        where T : unmanaged
    {
        // Values that are exact in single precision serve double precision too.
        var rounding = ElementTypes.Of<T>() == ElementType.Float64 ? ElementType.Float32 : ElementTypes.Of<T>();
        lock (Known)
        {
            if (!Known.TryGetValue((options, sizes, rounding), out var known))
            {
                known = new SapaCase(options, sizes);
                foreach (var map in known.Inputs.Values.Append(known.GradOutput))
                    map.Rounded<T>();
                Known.Add((options, sizes, rounding), known);
            }
            return known;
        }
    }

    public override ReferenceMap Forward() => ReferenceModules.Sapa(options, encoder, decoder, Parameters);

    public override UpsamplerModule<T> Create<T>(ComputeDevice device) => new SapaUpsampler<T>(device, options);

    public override FeatureMap<T> Forward<T>(UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs) =>
        ((SapaUpsampler<T>)module).Forward(inputs[0], inputs[1]);

    public override void Forward<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> output) =>
        ((SapaUpsampler<T>)module).Forward(inputs[0], inputs[1], output);

    public override ModuleResults<T> Run<T>(
        UpsamplerModule<T> module, IReadOnlyList<FeatureMap<T>> inputs, FeatureMap<T> gradOutput)
    {
        var own = (SapaUpsampler<T>)module;
        var output = own.Forward(inputs[0], inputs[1], out var context);
        using (context)
        {
            var gradients = own.Backward(context, gradOutput);
            return new(output, [gradients.Encoder, gradients.Decoder], gradients.Parameters, gradients);
        }
    }
}
