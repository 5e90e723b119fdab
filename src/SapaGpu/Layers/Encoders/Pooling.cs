using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>Average pooling to a size, larger ones included.</summary>
internal sealed class Pooling(int height, int width) : Layer
{
    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        trace.Note(input.Shape);
        if (input.Shape.Height == height && input.Shape.Width == width)
            return input;
        var output = Create(input, new MapShape(input.Shape.Batch, input.Shape.Channels, height, width));
        AveragePooling.Forward(input, output);
        input.Dispose();
        return output;
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace)
    {
        var shape = trace.Shape();
        if (shape == gradOutput.Shape)
            return gradOutput;
        var gradInput = Create(gradOutput, shape);
        AveragePooling.Backward(gradOutput, gradInput);
        gradOutput.Dispose();
        return gradInput;
    }
}
