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
        _ => throw new ArgumentException($"{options.GetType().Name} are the options of no module.", nameof(options)),
    };

    public void Load(string path, string prefix) => module.Load(path, prefix);

    public override void Forward(NativeTensor* encoder, NativeTensor* decoder, NativeTensor* output)
    {
        if (module is CarafeUpsampler<T> && encoder is not null)
            throw new ArgumentException("'encoder' must be null: CARAFE has no guide.");
        using var y = module is CarafeUpsampler<T> ? null : NativeTensor.Wrap<T>(device, encoder, "encoder");
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
            default:
                throw new NotSupportedException($"{module.GetType().Name} has no forward from C.");
        }
    }

    public override void Dispose() => module.Dispose();
}
