using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>The channels of two layers on the same input, one after the other.</summary>
/// <param name="first">The layer whose channels come first.</param>
/// <param name="channels">How many they are.</param>
/// <param name="second">The other layer.</param>
/// <param name="otherChannels">How many channels it has.</param>
internal sealed class Concatenation(Layer first, int channels, Layer second, int otherChannels) : Layer
{
    public override IEnumerable<ParameterSpec> Specs => first.Specs.Concat(second.Specs);

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var joined = Create(input, channels + otherChannels);
        using var left = joined.ChannelsOf(0, channels);
        using var right = joined.ChannelsOf(channels, otherChannels);
        first.Forward(parameters, Share(input), left, trace);
        second.Forward(parameters, input, right, trace);
        return joined;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var (left, right) = Split(gradOutput, channels);
        var gradInput = second.Backward(parameters, gradients, right, trace);
        using var other = first.Backward(parameters, gradients, left, trace);
        Conversions.Add(other, gradInput);
        return gradInput;
    }

    /// <summary>Copies two maps into one, and disposes them.</summary>
    public static FeatureMap Join(FeatureMap left, FeatureMap right)
    {
        int channels = left.Shape.Channels;
        var joined = Create(left, channels + right.Shape.Channels);
        using var first = joined.ChannelsOf(0, channels);
        using var second = joined.ChannelsOf(channels, right.Shape.Channels);
        Conversions.Copy(left, first);
        Conversions.Copy(right, second);
        left.Dispose();
        right.Dispose();
        return joined;
    }

    /// <summary>Takes a map apart, and disposes it.</summary>
    public static (FeatureMap Left, FeatureMap Right) Split(FeatureMap joined, int channels)
    {
        var parts = (
            joined.ChannelsOf(0, channels), joined.ChannelsOf(channels, joined.Shape.Channels - channels));
        joined.Dispose();
        return parts;
    }
}
