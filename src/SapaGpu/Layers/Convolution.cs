namespace SapaGpu.Layers;

/// <summary>
/// A convolution with an odd square kernel, dilation and zero padding that keeps the size of the map. It runs as one
/// projection for each tap of the kernel, over the part of the map that the tap reads, added in a fixed order.
/// </summary>
internal sealed class Convolution(string weightName, string biasName, int kernel, int dilation)
{
    // The centre tap reads the whole map, so it comes first and overwrites the output; the others add to it.
    private IEnumerable<int> Taps
    {
        get
        {
            int centre = kernel * kernel / 2;
            return Enumerable.Range(0, kernel * kernel).Where(tap => tap != centre).Prepend(centre);
        }
    }

    public void Forward(ParameterSet parameters, FeatureMap input, FeatureMap output)
    {
        bool accumulate = false;
        foreach (int tap in Taps)
        {
            if (!TryReach(tap, input.Shape, out var part))
                continue;
            using var matrix = Matrix(parameters, tap);
            using var source = part.Source(input);
            using var target = part.Target(output);
            var projection = new ProjectionWeights(matrix, accumulate ? null : parameters[biasName]);
            PointwiseProjection.Run(in projection, source, target, null, accumulate);
            accumulate = true;
        }
    }

    public void Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput)
    {
        gradients[weightName].Clear();
        bool accumulate = false;
        foreach (int tap in Taps)
        {
            if (!TryReach(tap, input.Shape, out var part))
                continue;
            using var matrix = Matrix(parameters, tap);
            using var gradMatrix = Matrix(gradients, tap);
            using var source = part.Source(input);
            using var gradSource = part.Source(gradInput);
            using var gradient = part.Target(gradOutput);
            var projection = new ProjectionWeights(matrix, null);
            var own = new ProjectionWeights(gradMatrix, accumulate ? null : gradients[biasName]);
            PointwiseProjection.RunBackward(in projection, source, gradient, null, gradSource, own, accumulate);
            accumulate = true;
        }
    }

    private FeatureMap Matrix(ParameterSet parameters, int tap) =>
        parameters[weightName].CropOf(tap / kernel, tap % kernel, 1, 1);

    private bool TryReach(int tap, MapShape shape, out Reach reach)
    {
        long down = (tap / kernel - kernel / 2) * (long)dilation;
        long across = (tap % kernel - kernel / 2) * (long)dilation;
        bool reaches = Math.Abs(down) < shape.Height && Math.Abs(across) < shape.Width;
        reach = reaches
            ? new Reach(
                (int)down, (int)across, (int)(shape.Height - Math.Abs(down)), (int)(shape.Width - Math.Abs(across)))
            : default;
        return reaches;
    }

    // The rectangle of the output that a tap contributes to, and the one of the input that it reads.
    private readonly record struct Reach(int Down, int Across, int Height, int Width)
    {
        public FeatureMap Source(FeatureMap input) =>
            input.CropOf(Math.Max(0, Down), Math.Max(0, Across), Height, Width);

        public FeatureMap Target(FeatureMap output) =>
            output.CropOf(Math.Max(0, -Down), Math.Max(0, -Across), Height, Width);
    }
}
