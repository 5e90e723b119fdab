using SapaGpu.Maps;

namespace SapaGpu.Native;

/// <summary>A module whose features have one element type.</summary>
internal sealed unsafe class LoadedModule<T>(ComputeDevice device, object options) : LoadedModule(device)
    where T : unmanaged
{
    private readonly UpsamplerModule<T> module = options switch
    {
        SapaOptions sapa => new SapaUpsampler<T>(device, sapa),
        SapaDeformableOptions deformable => new SapaDeformableUpsampler<T>(device, deformable),
        CarafeOptions carafe => new CarafeUpsampler<T>(device, carafe),
        NafOptions naf => new NafUpsampler<T>(device, naf),
        AnyUpOptions anyUp => new AnyUpUpsampler<T>(device, anyUp),
        _ => throw new ArgumentException($"{options.GetType().Name} are the options of no module.", nameof(options)),
    };

    public void Load(string path, string prefix) => module.Load(path, prefix);

    public override void Forward(ComputeDevice on, NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output)
    {
        using var y = WrapGuide(on, encoder, "encoder");
        using var x = NativeTensor.Wrap<T>(on, decoder, "decoder");
        using var o = NativeTensor.Wrap<T>(on, output, "output");
        switch (module)
        {
            case SapaUpsampler<T> sapa:
                sapa.Forward(y!, x, o);
                break;
            case SapaDeformableUpsampler<T> deformable:
                deformable.Forward(y!, x, o);
                break;
            case CarafeUpsampler<T> carafe:
                carafe.Forward(x, o);
                break;
            case ImageGuidedUpsampler<T> guided:
                guided.Forward(y!, x, o);
                break;
            default:
                throw new NotSupportedException($"{module.GetType().Name} has no forward from C.");
        }
    }

    public override void Backward(
        ComputeDevice on,
        NativeTensor* encoder,
        NativeTensor* decoder,
        NativeTensor* gradOutput,
        NativeTensor* gradEncoder,
        NativeTensor* gradDecoder)
    {
        if (gradEncoder is null && gradDecoder is null)
            throw new ArgumentException("'grad_encoder' and 'grad_decoder' are both null; give one of them.");
        using var y = WrapGuide(on, encoder, "encoder");
        using var x = NativeTensor.Wrap<T>(on, decoder, "decoder");
        using var g = NativeTensor.Wrap<T>(on, gradOutput, "grad_output");
        using var gradY = gradEncoder is null ? null : WrapGuide(on, gradEncoder, "grad_encoder");
        using var gradX = NativeTensor.WrapOptional<T>(on, gradDecoder, "grad_decoder");
        Operand[] read = [new("encoder", y), new("decoder", x), new("grad_output", g)];
        CheckGradient("grad_encoder", gradY, y, read);
        CheckGradient("grad_decoder", gradX, x, [.. read, new("grad_encoder", gradY)]);
        switch (module)
        {
            case SapaUpsampler<T> sapa:
                Backward(sapa, y!, x, g, gradY, gradX);
                break;
            case SapaDeformableUpsampler<T> deformable:
                Backward(deformable, y!, x, g, gradY, gradX);
                break;
            case CarafeUpsampler<T> carafe:
                Backward(carafe, x, g, gradX!);
                break;
            case ImageGuidedUpsampler<T> guided:
                Backward(guided, y!, x, g, gradY, gradX);
                break;
            default:
                throw new NotSupportedException($"{module.GetType().Name} has no backward from C.");
        }
    }

    public override void Dispose() => module.Dispose();

    private static void Backward(
        SapaUpsampler<T> module,
        FeatureMap<T> encoder,
        FeatureMap<T> decoder,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradEncoder,
        FeatureMap<T>? gradDecoder)
    {
        using var output = module.Forward(encoder, decoder, out var context);
        using var kept = context;
        using var gradients = module.Backward(context, gradOutput);
        gradEncoder?.CopyFrom(gradients.Encoder);
        gradDecoder?.CopyFrom(gradients.Decoder);
    }

    private static void Backward(
        SapaDeformableUpsampler<T> module,
        FeatureMap<T> encoder,
        FeatureMap<T> decoder,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradEncoder,
        FeatureMap<T>? gradDecoder)
    {
        using var output = module.Forward(encoder, decoder, out var context);
        using var kept = context;
        using var gradients = module.Backward(context, gradOutput);
        gradEncoder?.CopyFrom(gradients.Encoder);
        gradDecoder?.CopyFrom(gradients.Decoder);
    }

    private static void Backward(
        CarafeUpsampler<T> module, FeatureMap<T> features, FeatureMap<T> gradOutput, FeatureMap<T> gradFeatures)
    {
        using var output = module.Forward(features, out var context);
        using var kept = context;
        using var gradients = module.Backward(context, gradOutput);
        gradFeatures.CopyFrom(gradients.Features);
    }

    private static void Backward(
        ImageGuidedUpsampler<T> module,
        FeatureMap<T> image,
        FeatureMap<T> features,
        FeatureMap<T> gradOutput,
        FeatureMap<T>? gradImage,
        FeatureMap<T>? gradFeatures)
    {
        using var output = module.Forward(
            image, features, gradOutput.Shape.Height, gradOutput.Shape.Width, out var context);
        using var kept = context;
        using var gradients = module.Backward(context, gradOutput);
        gradImage?.CopyFrom(gradients.Image);
        gradFeatures?.CopyFrom(gradients.Features);
    }

    private static void CheckGradient(string name, FeatureMap? gradient, FeatureMap? of, ReadOnlySpan<Operand> others)
    {
        if (gradient is null || of is null)
            return;
        OperandChecks.Shape(name, gradient, of.Shape, [.. others, new(name, gradient)]);
        OperandChecks.NoOverlap(name, gradient, others);
    }

    // CARAFE has no guide, all others have one.
    private FeatureMap<T>? WrapGuide(ComputeDevice on, NativeTensor* guide, string name)
    {
        if (module is not CarafeUpsampler<T>)
            return NativeTensor.Wrap<T>(on, guide, name);
        return guide is null ? null : throw new ArgumentException($"'{name}' must be null: CARAFE has no guide.");
    }
}
