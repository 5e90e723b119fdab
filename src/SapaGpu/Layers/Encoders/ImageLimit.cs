namespace SapaGpu.Layers;

/// <summary>
/// Shrinks an image of more than four times the output: both axes are limited by four times either size of the output, so that
/// the proportions can change.
/// </summary>
internal sealed class ImageLimit(int outputHeight, int outputWidth) : Layer
{
    private const int Ratio = 4;

    /// <summary>The size after the limit.</summary>
    public (int Height, int Width) Of(MapShape image)
    {
        long rows = (long)Ratio * outputHeight, columns = (long)Ratio * outputWidth;
        if (image.Height <= rows && image.Width <= columns)
            return (image.Height, image.Width);
        long most = Math.Min(rows, columns);
        return ((int)Math.Min(image.Height, most), (int)Math.Min(image.Width, most));
    }

    public override FeatureMap Forward(ParameterSet parameters, FeatureMap input, Trace trace)
    {
        var (height, width) = Of(input.Shape);
        return new Resizing(height, width).Forward(parameters, input, trace);
    }

    public override FeatureMap Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap gradOutput, Trace.Reader trace) =>
        new Resizing(gradOutput.Shape.Height, gradOutput.Shape.Width).Backward(parameters, gradients, gradOutput, trace);
}
