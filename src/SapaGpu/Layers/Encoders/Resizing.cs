namespace SapaGpu.Layers;

/// <summary>Bilinear interpolation to a size, without antialiasing.</summary>
internal sealed class Resizing(int height, int width) : Layer
{
    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        trace.Note(input.Shape);
        if (input.Shape.Height == height && input.Shape.Width == width)
            return input;
        var output = Create(input, new MapShape(input.Shape.Batch, input.Shape.Channels, height, width));
        Interpolate.Run(input, output, InterpolationMode.Bilinear, alignCorners: false);
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
        Interpolate.RunBackward(gradOutput, gradInput, InterpolationMode.Bilinear, alignCorners: false);
        gradOutput.Dispose();
        return gradInput;
    }
}
