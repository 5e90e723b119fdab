using TorchSharp;
using TorchSharp.Modules;

namespace SapaGpu.TorchSharp;

/// <summary>
/// A chain of SAPA modules that upsamples a decoder map through a pyramid of encoder maps, by 2 or any other supported
/// ratio at each stage, as the decoders of the papers do.
/// </summary>
/// <remarks>
/// The stages are the modules "stages.0", "stages.1" and so on, from the lowest resolution to the highest.
/// </remarks>
public sealed class FeaturePyramidUpsampler
    : torch.nn.Module<torch.Tensor, IReadOnlyList<torch.Tensor>, torch.Tensor>
{
    private readonly ModuleList<SapaUpsample> stages;

    /// <summary>Creates the stages with initial parameters.</summary>
    /// <param name="encoderChannels">
    /// The channels of the encoder maps, from the lowest resolution to the highest.
    /// </param>
    /// <param name="options">
    /// The options of every stage; the channels of the encoder are taken from the list, those of the decoder stay the
    /// same through all stages.
    /// </param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentException">There is no stage, or the options do not fit a stage.</exception>
    /// <exception cref="NotSupportedException">The window is even or out of range.</exception>
    public FeaturePyramidUpsampler(
        IReadOnlyList<int> encoderChannels,
        SapaOptions options,
        torch.Device? device = null,
        torch.ScalarType? dtype = null)
        : base(nameof(FeaturePyramidUpsampler))
    {
        ArgumentNullException.ThrowIfNull(encoderChannels);
        ArgumentNullException.ThrowIfNull(options);
        if (encoderChannels.Count == 0)
            throw new ArgumentException(
                "A pyramid needs at least one encoder map; got an empty list of channels.", nameof(encoderChannels));
        if (options.ValueChannels is { } value && value != options.DecoderChannels && encoderChannels.Count > 1)
        {
            throw new ArgumentException(
                $"The output of a stage is the decoder map of the next: ValueChannels is {value}, but must be null " +
                $"or DecoderChannels, {options.DecoderChannels}.",
                nameof(options));
        }
        stages = torch.nn.ModuleList<SapaUpsample>(
            [.. encoderChannels.Select(
                channels => new SapaUpsample(options with { EncoderChannels = channels }, device, dtype))]);
        RegisterComponents();
    }

    /// <summary>Upsamples through all stages.</summary>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="encoders">Encoder features, one map per stage, from the lowest resolution to the highest.</param>
    /// <returns>The upsampled features, [B, C, OH, OW], at the resolution of the last encoder map.</returns>
    /// <exception cref="ArgumentException">The number of maps is not the number of stages.</exception>
    /// <inheritdoc cref="SapaFunctional.WindowAttention" path="/exception"/>
    public override torch.Tensor forward(torch.Tensor decoder, IReadOnlyList<torch.Tensor> encoders)
    {
        using var scope = torch.NewDisposeScope();
        return Stages(decoder, encoders)[^1].MoveToOuterDisposeScope();
    }

    /// <summary>Upsamples through all stages and returns the output of each.</summary>
    /// <inheritdoc cref="forward"/>
    /// <returns>The outputs of the stages; the last one is the result of <see cref="forward"/>.</returns>
    public IReadOnlyList<torch.Tensor> Stages(torch.Tensor decoder, IReadOnlyList<torch.Tensor> encoders)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        ArgumentNullException.ThrowIfNull(encoders);
        if (encoders.Count != stages.Count)
        {
            throw new ArgumentException(
                $"{nameof(FeaturePyramidUpsampler)}: expected one encoder map for each of the {stages.Count} stages, but got " +
                $"{encoders.Count}.",
                nameof(encoders));
        }
        var outputs = new List<torch.Tensor>(encoders.Count);
        for (int stage = 0; stage < encoders.Count; stage++)
            outputs.Add(stages[stage].call(encoders[stage], stage == 0 ? decoder : outputs[^1]));
        return outputs;
    }
}
