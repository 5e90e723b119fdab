using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// Positions with a learned angle for each channel, a sum of factors times the coordinates, which run from 0 to 1 over the map. The
/// two components of a pair have angles of their own, so that this is no rotation.
/// </summary>
/// <param name="name">The name of the factors, [2, D]: of rows, then of columns.</param>
/// <param name="channels">D, the channels, an even number.</param>
internal sealed class LearnedRotary(string name, int channels) : Layer
{
    // One component follows the rows, the other the columns, from two turns over the map down to a fiftieth.
    public override IEnumerable<ParameterSpec> Specs =>
    [
        new(name, [2, channels], Values:
        [
            .. Enumerable.Range(0, 2 * channels).Select(i => Initial(i / channels, i % channels)),
        ]),
    ];

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        // The layers before hand over a map that is nobody else's.
        if (!trace.Keeps && RotaryPositions.RunsInPlace(input.Device))
        {
            RotaryPositions.Forward(isLearned: true, channels, parameters[name], input, input);
            return input;
        }
        var output = CreateLike(input);
        RotaryPositions.Forward(isLearned: true, channels, parameters[name], input, output);
        trace.Keep(input);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var input = trace.Map();
        var gradInput = CreateLike(input);
        RotaryPositions.Backward(channels, parameters[name], input, gradOutput, gradInput, gradients[name]);
        gradOutput.Dispose();
        return gradInput;
    }

    private double Initial(int axis, int channel) => channel / (channels / 2) == axis
        ? 2 * Math.Tau * Math.Pow(100, -2.0 * (channel % (channels / 2)) / channels)
        : 0;
}
