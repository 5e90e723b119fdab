using SapaGpu.Maps;

namespace SapaGpu.Native;

/// <summary>A module whose features have one element type.</summary>
internal sealed unsafe class LoadedModule<T>(ComputeDevice device, object options) : LoadedModule
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

    public override void Forward(NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output)
    {
        using var y = WrapGuide(encoder, "encoder");
        using var x = NativeTensor.Wrap<T>(device, decoder, "decoder");
        using var o = NativeTensor.Wrap<T>(device, output, "output");
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
        NativeTensor* encoder,
        NativeTensor* decoder,
        NativeTensor* gradOutput,
        NativeTensor* gradEncoder,
        NativeTensor* gradDecoder)
    {
        if (gradEncoder is null && gradDecoder is null)
            throw new ArgumentException("'grad_encoder' and 'grad_decoder' are both null; give one of them.");
        using var y = WrapGuide(encoder, "encoder");
        using var x = NativeTensor.Wrap<T>(device, decoder, "decoder");
        using var g = NativeTensor.Wrap<T>(device, gradOutput, "grad_output");
        using var gradY = gradEncoder is null ? null : WrapGuide(gradEncoder, "grad_encoder");
        using var gradX = NativeTensor.WrapOptional<T>(device, gradDecoder, "grad_decoder");
        Operand[] read = [new("encoder", y), new("decoder", x), new("grad_output", g)];
        CheckGradient("grad_encoder", gradY, y, read);
        CheckGradient("grad_decoder", gradX, x, [.. read, new("grad_encoder", gradY)]);
        switch (module)
        {
            case SapaUpsampler<T> sapa:
            {
                using var output = sapa.Forward(y!, x, out var context);
                using (context)
                using (var gradients = sapa.Backward(context, g))
                    Copy(gradients.Encoder, gradients.Decoder);
                break;
            }

            case SapaDeformableUpsampler<T> deformable:
            {
                using var output = deformable.Forward(y!, x, out var context);
                using (context)
                using (var gradients = deformable.Backward(context, g))
                    Copy(gradients.Encoder, gradients.Decoder);
                break;
            }

            case CarafeUpsampler<T> carafe:
            {
                using var output = carafe.Forward(x, out var context);
                using (context)
                using (var gradients = carafe.Backward(context, g))
                    Copy(null, gradients.Features);
                break;
            }

            case ImageGuidedUpsampler<T> guided:
            {
                using var output = guided.Forward(y!, x, g.Shape.Height, g.Shape.Width, out var context);
                using (context)
                using (var gradients = guided.Backward(context, g))
                    Copy(gradients.Image, gradients.Features);
                break;
            }

            default:
                throw new NotSupportedException($"{module.GetType().Name} has no backward from C.");
        }

        void Copy(FeatureMap<T>? ofEncoder, FeatureMap<T> ofDecoder)
        {
            if (ofEncoder is not null)
                gradY?.CopyFrom(ofEncoder);
            gradX?.CopyFrom(ofDecoder);
        }
    }

    public override void Dispose() => module.Dispose();

    private static void CheckGradient(string name, FeatureMap? gradient, FeatureMap? of, ReadOnlySpan<Operand> others)
    {
        if (gradient is null || of is null)
            return;
        OperandChecks.Shape(name, gradient, of.Shape, [.. others, new(name, gradient)]);
        OperandChecks.NoOverlap(name, gradient, others);
    }

    // CARAFE has no guide, all others have one.
    private FeatureMap<T>? WrapGuide(NativeTensor* guide, string name)
    {
        if (module is not CarafeUpsampler<T>)
            return NativeTensor.Wrap<T>(device, guide, name);
        return guide is null ? null : throw new ArgumentException($"'{name}' must be null: CARAFE has no guide.");
    }
}
