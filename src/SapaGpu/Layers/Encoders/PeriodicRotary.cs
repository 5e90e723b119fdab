using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// Rotary positions with fixed periods over pixel centres in [−1, 1]: a quarter of a head's channels for rows and columns each, and
/// the same for the other component.
/// </summary>
/// <param name="name">The name of the periods, a buffer that is not trained.</param>
/// <param name="headChannels">D, the channels of a head, a multiple of 4.</param>
/// <param name="period">The ratio of the longest period to the shortest, which is 1, but for one step.</param>
internal sealed class PeriodicRotary(string name, int headChannels, double period) : Layer
{
    public override IEnumerable<ParameterSpec> Specs =>
    [
        new(name, [headChannels / 4], Values:
            [.. Enumerable.Range(0, headChannels / 4).Select(m => Math.Pow(period, 4.0 * m / headChannels))]),
    ];

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        // The layers before hand over a map that is nobody else's.
        if (!trace.Keeps && RotaryPositions.RunsInPlace(input.Device))
        {
            RotaryPositions.Forward(isLearned: false, headChannels, parameters[name], input, input);
            return input;
        }
        var output = CreateLike(input);
        RotaryPositions.Forward(isLearned: false, headChannels, parameters[name], input, output);
        trace.Keep(input);
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        gradients[name].Clear();
        var input = trace.Map();
        var gradInput = CreateLike(input);
        RotaryPositions.Backward(headChannels, parameters[name], input, gradOutput, gradInput, null);
        gradOutput.Dispose();
        return gradInput;
    }
}
