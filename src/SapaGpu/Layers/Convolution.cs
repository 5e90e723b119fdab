using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// A convolution with an odd square kernel and dilation that keeps the size of the map, with zeros outside it or a mirrored border:
/// index −1 is 1, index n is n − 2. On thread groups, for gradients of weights, and where taps are far apart, it is one projection
/// for each tap of the kernel, over the part of the map that the tap reads, added in a fixed order; the rest is one pass on the CPU.
/// </summary>
/// <param name="weightName">The name of the weight, [O, I, K, K].</param>
/// <param name="biasName">The name of the bias, [O]; null for none.</param>
/// <param name="kernel">K, odd.</param>
/// <param name="dilation">The distance of taps; 1 where the border is mirrored.</param>
/// <param name="mirrors">Whether the border is mirrored.</param>
internal sealed class Convolution(string weightName, string? biasName, int kernel, int dilation, bool mirrors = false)
{
    // One pass stages what its taps reach: where they are far apart, taps one by one read less.
    private const int LargestReach = 16;

    private readonly int border = mirrors ? kernel / 2 : 0;

    private bool HasBorder => border > 0;

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
        if (IsDirectOn(input.Device))
        {
            Direct(parameters).Forward(input, output);
            return;
        }
        using var padded = Padded(input);
        bool accumulate = false;
        foreach (int tap in Taps)
        {
            if (!TryReach(tap, output.Shape, out var part))
                continue;
            using var matrix = Matrix(parameters, tap);
            using var source = part.Source(padded);
            using var target = part.Target(output);
            var projection = new ProjectionWeights(matrix, accumulate ? null : Bias(parameters));
            PointwiseProjection.Run(in projection, source, target, null, accumulate);
            accumulate = true;
        }
    }

    public void Backward(
        ParameterSet parameters, ParameterSet gradients, FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput)
    {
        bool isDirect = IsDirectOn(input.Device);
        using var padded = Padded(input);
        using var gradPadded = HasBorder
            ? FeatureMap.Create(input.Device, padded.Shape, gradInput.Format, gradInput.ElementType)
            : gradInput.ChannelsOf(0, gradInput.Shape.Channels);
        if (isDirect)
            Direct(parameters).Backward(gradOutput, gradPadded);
        else if (HasBorder)
            gradPadded.Clear(); // No tap reads all of a border.
        gradients[weightName].Clear();
        bool accumulate = HasBorder;
        bool hasBias = false;
        foreach (int tap in Taps)
        {
            if (!TryReach(tap, gradOutput.Shape, out var part))
                continue;
            using var matrix = Matrix(parameters, tap);
            using var gradMatrix = Matrix(gradients, tap);
            using var source = part.Source(padded);
            using var gradSource = part.Source(gradPadded);
            using var gradient = part.Target(gradOutput);
            var projection = new ProjectionWeights(matrix, null);
            var own = new ProjectionWeights(gradMatrix, hasBias ? null : Bias(gradients));
            PointwiseProjection.RunBackward(
                in projection, source, gradient, null, isDirect ? null : gradSource, own, accumulate);
            accumulate = true;
            hasBias = true;
        }
        if (HasBorder)
            MirrorPadding.Backward(gradPadded, gradInput);
    }

    /// <summary>Whether it is one pass on a device.</summary>
    public bool IsDirectOn(ComputeDevice device) =>
        DirectConvolution.Runs(device) && (kernel - 1L) * dilation <= LargestReach;

    /// <summary>The convolution in one pass, on devices that have it.</summary>
    public DirectConvolution Direct(ParameterSet parameters) =>
        new(parameters[weightName], Bias(parameters), dilation, HasBorder);

    private FeatureMap Padded(FeatureMap input)
    {
        var shape = input.Shape;
        if (!HasBorder)
            return input.ChannelsOf(0, shape.Channels);
        var padded = FeatureMap.Create(
            input.Device,
            new MapShape(shape.Batch, shape.Channels, shape.Height + 2 * border, shape.Width + 2 * border),
            input.Format,
            input.ElementType);
        MirrorPadding.Forward(input, padded);
        return padded;
    }

    private FeatureMap Matrix(ParameterSet parameters, int tap) =>
        parameters[weightName].CropOf(tap / kernel, tap % kernel, 1, 1);

    private FeatureMap? Bias(ParameterSet parameters) => biasName is null ? null : parameters[biasName];

    private bool TryReach(int tap, MapShape shape, out Reach reach)
    {
        if (HasBorder)
        {
            reach = new Reach(tap / kernel, tap % kernel, 0, 0, shape.Height, shape.Width);
            return true;
        }
        long down = (tap / kernel - kernel / 2) * (long)dilation;
        long across = (tap % kernel - kernel / 2) * (long)dilation;
        bool reaches = Math.Abs(down) < shape.Height && Math.Abs(across) < shape.Width;
        reach = reaches
            ? new Reach(
                (int)Math.Max(0, down),
                (int)Math.Max(0, across),
                (int)Math.Max(0, -down),
                (int)Math.Max(0, -across),
                (int)(shape.Height - Math.Abs(down)),
                (int)(shape.Width - Math.Abs(across)))
            : default;
        return reaches;
    }

    // The rectangle of the input that a tap reads, and the one of the output that it contributes to.
    private readonly record struct Reach(int Row, int Column, int TargetRow, int TargetColumn, int Height, int Width)
    {
        public FeatureMap Source(FeatureMap input) => input.CropOf(Row, Column, Height, Width);

        public FeatureMap Target(FeatureMap output) => output.CropOf(TargetRow, TargetColumn, Height, Width);
    }
}
