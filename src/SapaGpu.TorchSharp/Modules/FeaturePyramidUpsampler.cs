using TorchSharp;
using TorchSharp.Modules;

namespace SapaGpu.TorchSharp;

/// <summary>
/// A chain of SAPA modules that brings a decoder map up through a pyramid of encoder maps, ×2 or whatever their ratio
/// is at each stage, as the decoders of the papers use it.
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
    /// <param name="device">Where the parameters live; null for the default.</param>
    /// <param name="dtype">The type of the parameters; null for the default.</param>
    /// <exception cref="ArgumentException">There is no stage, or the options of one do not fit.</exception>
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
            throw new ArgumentException("A pyramid has at least one encoder map.", nameof(encoderChannels));
        if (options.ValueChannels is { } value && value != options.DecoderChannels && encoderChannels.Count > 1)
        {
            throw new ArgumentException(
                $"The output of a stage is the decoder map of the next: {value} value channels must be the " +
                $"{options.DecoderChannels} of the decoder.",
                nameof(options));
        }
        stages = torch.nn.ModuleList<SapaUpsample>(
            [.. encoderChannels.Select(
                channels => new SapaUpsample(options with { EncoderChannels = channels }, device, dtype))]);
        RegisterComponents();
    }

    /// <summary>Upsamples through all stages.</summary>
    /// <param name="decoder">Decoder features, [B, Cx, H, W].</param>
    /// <param name="encoders">Encoder features, one map a stage, from the lowest resolution to the highest.</param>
    /// <returns>The decoder features at the resolution of the last encoder map.</returns>
    /// <exception cref="ArgumentException">There are not as many maps as stages.</exception>
    /// <inheritdoc cref="SapaFunctional.WindowAttention" path="/exception"/>
    public override torch.Tensor forward(torch.Tensor decoder, IReadOnlyList<torch.Tensor> encoders)
    {
        using var scope = torch.NewDisposeScope();
        return Stages(decoder, encoders)[^1].MoveToOuterDisposeScope();
    }

    /// <summary>Upsamples through all stages and returns what each of them gave, the last being the result.</summary>
    /// <inheritdoc cref="forward"/>
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
