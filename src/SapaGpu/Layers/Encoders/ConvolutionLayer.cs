namespace SapaGpu.Layers;

/// <summary>
/// A convolution that keeps the size of the map, with zeros outside it or a mirrored border: index −1 is 1, index n is n − 2.
/// </summary>
internal sealed class ConvolutionLayer : Layer
{
    /// <summary>Describes a convolution.</summary>
    /// <param name="name">The name of the layer in a state_dict.</param>
    /// <param name="input">I, the channels of the input.</param>
    /// <param name="output">O, the channels of the output.</param>
    /// <param name="kernel">The odd width of the kernel.</param>
    /// <param name="hasBias">Whether there is a bias.</param>
    /// <param name="mirrors">Whether the border is mirrored.</param>
    public ConvolutionLayer(string name, int input, int output, int kernel = 1, bool hasBias = false, bool mirrors = false)
    {
        string weight = $"{name}.weight", bias = $"{name}.bias";
        InputChannels = input;
        OutputChannels = output;
        Convolution = new Convolution(weight, hasBias ? bias : null, kernel, dilation: 1, mirrors);
        double deviation = 1 / Math.Sqrt((double)input * kernel * kernel);
        var matrix = new ParameterSpec(weight, [output, input, kernel, kernel], Deviation: deviation);
        Specs = hasBias ? [matrix, new(bias, [output], Constant: 0)] : [matrix];
    }

    /// <summary>Gets the convolution itself.</summary>
    public Convolution Convolution { get; }

    /// <summary>Gets I.</summary>
    public int InputChannels { get; }

    /// <summary>Gets O.</summary>
    public int OutputChannels { get; }

    public override IEnumerable<ParameterSpec> Specs { get; }

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var output = Create(input, OutputChannels);
        Forward(parameters, input, output, trace);
        return output;
    }

    public override void Forward(ParameterSet parameters, FeatureMap input, FeatureMap output, Trace trace)
    {
        Convolution.Forward(parameters, input, output);
        trace.Keep(input);
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var input = trace.Map();
        var gradInput = CreateLike(input);
        Convolution.Backward(parameters, gradients, input, gradOutput, gradInput);
        gradOutput.Dispose();
        return gradInput;
    }
}
