using SapaGpu.Devices;
using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Nearest-neighbour and bilinear interpolation of a map to another size, larger or smaller, as defined by PyTorch's
/// <c>F.interpolate</c>.
/// </summary>
/// <remarks>
/// <para>Bilinear: output row y is sampled at row max((y + ½)·H/OH − ½, 0) of the input, or with aligned corners at
/// y·(H − 1)/(OH − 1), which is 0 for a single output row; positions beyond the last row take the last row. Nearest:
/// output row y is input row ⌊y·H/OH⌋. Columns are treated alike.</para>
/// <para>Shapes: input [B, C, H, W], output [B, C, OH, OW], each in either <see cref="MemoryFormat"/>. Positions are
/// computed in integer arithmetic, so ratios are not rounded. In the backward each input cell sums its contributions in
/// a fixed order, without atomics.</para>
/// </remarks>
public static class Interpolate
{
    // Positions on an axis are whole numbers over twice the samples of the output.
    private const int Largest = 1 << 29;

    /// <summary>Resizes a map.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The input, [B, C, H, W].</param>
    /// <param name="height">OH, the number of rows of the output.</param>
    /// <param name="width">OW, the number of columns of the output.</param>
    /// <param name="mode">Nearest or bilinear.</param>
    /// <param name="alignCorners">Whether the corner cells of input and output coincide; bilinear only.</param>
    /// <returns>The output, [B, C, OH, OW], in the format of the input.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size is below 1 or above 2²⁹, or <paramref name="mode"/> is undefined.
    /// </exception>
    /// <exception cref="ArgumentException"><paramref name="alignCorners"/> is set for nearest.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map or its device was disposed.</exception>
    public static FeatureMap<T> Forward<T>(
        FeatureMap<T> input,
        int height,
        int width,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        Check(nameof(input), input, height, width, mode, alignCorners);
        var shape = new MapShape(input.Shape.Batch, input.Shape.Channels, height, width);
        var output = FeatureMap<T>.Create(input.Device, shape, input.Format);
        Forward(input, output, mode, alignCorners);
        return output;
    }

    /// <summary>Resizes a map to the size of an existing map, which receives the result.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, int, int, InterpolationMode, bool)" path="/typeparam|/exception"/>
    /// <param name="input">The input, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, OH, OW], in either format.</param>
    /// <param name="mode">Nearest or bilinear.</param>
    /// <param name="alignCorners">Whether the corner cells of input and output coincide; bilinear only.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, <paramref name="output"/> shares memory with the input, or
    /// <paramref name="alignCorners"/> is set for nearest.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The maps are on different devices.</exception>
    public static void Forward<T>(
        FeatureMap<T> input,
        FeatureMap<T> output,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(output);
        Check(nameof(input), input, output.Shape.Height, output.Shape.Width, mode, alignCorners);
        Operand i = new(nameof(input), input), o = new(nameof(output), output);
        OperandChecks.SameDevice(i, o);
        OperandChecks.Shape(nameof(output), output, Resized(input.Shape, output.Shape), i, o);
        OperandChecks.NoOverlap(nameof(output), output, i);
        Run(input, output, mode, alignCorners);
    }

    /// <summary>Computes the gradient of the input from that of the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <param name="height">H, the number of rows of the input.</param>
    /// <param name="width">W, the number of columns of the input.</param>
    /// <param name="mode">The mode of the forward.</param>
    /// <param name="alignCorners">Whether the forward aligned corners.</param>
    /// <returns>The gradient, [B, C, H, W], in the format of <paramref name="gradOutput"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A size, that of <paramref name="gradOutput"/> included, is below 1 or above 2²⁹, or <paramref name="mode"/> is
    /// undefined.
    /// </exception>
    /// <exception cref="ArgumentException"><paramref name="alignCorners"/> is set for nearest.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map or its device was disposed.</exception>
    public static FeatureMap<T> Backward<T>(
        FeatureMap<T> gradOutput,
        int height,
        int width,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        Check(nameof(gradOutput), gradOutput, height, width, mode, alignCorners);
        CheckSize(nameof(gradOutput), gradOutput);
        var shape = new MapShape(gradOutput.Shape.Batch, gradOutput.Shape.Channels, height, width);
        var gradInput = FeatureMap<T>.Create(gradOutput.Device, shape, gradOutput.Format);
        RunBackward(gradOutput, gradInput, mode, alignCorners);
        return gradInput;
    }

    /// <summary>Computes the gradient of the input from that of the output, into an existing map.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, int, int, InterpolationMode, bool)" path="/typeparam|/exception"/>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <param name="gradInput">Where the gradient of the input is written, [B, C, H, W], in either format.</param>
    /// <param name="mode">The mode of the forward.</param>
    /// <param name="alignCorners">Whether the forward aligned corners.</param>
    /// <exception cref="ArgumentException">
    /// The shapes do not match, <paramref name="gradInput"/> shares memory with the gradient of the output, or
    /// <paramref name="alignCorners"/> is set for nearest.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The maps are on different devices.</exception>
    public static void Backward<T>(
        FeatureMap<T> gradOutput,
        FeatureMap<T> gradInput,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradInput);
        Check(nameof(gradOutput), gradOutput, gradInput.Shape.Height, gradInput.Shape.Width, mode, alignCorners);
        CheckSize(nameof(gradOutput), gradOutput);
        Operand g = new(nameof(gradOutput), gradOutput), i = new(nameof(gradInput), gradInput);
        OperandChecks.SameDevice(g, i);
        OperandChecks.Shape(nameof(gradInput), gradInput, Resized(gradOutput.Shape, gradInput.Shape), g, i);
        OperandChecks.NoOverlap(nameof(gradInput), gradInput, g);
        RunBackward(gradOutput, gradInput, mode, alignCorners);
    }

    /// <summary>Describes the kernel that the forward runs for this input.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, int, int, InterpolationMode, bool)"/>
    /// <returns>The kind of kernel and the choices that are compiled into it, as text.</returns>
    public static string Describe<T>(
        FeatureMap<T> input,
        int height,
        int width,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        Check(nameof(input), input, height, width, mode, alignCorners);
        bool vectors = Pack4Layout.Fits(input);
        return $"{KernelVariant.Choose(input.Device, vectors, vectors).DescribeAccess()}, {mode}";
    }

    /// <summary>Resizes a map to the size of another, whose batch and channels are known to fit.</summary>
    internal static void Run(FeatureMap input, FeatureMap output, InterpolationMode mode, bool alignCorners)
    {
        using var call = Operands.Hold(input, output);
        ResamplingKernels.For(input).Resample(mode, alignCorners, input, output);
    }

    /// <summary>Computes the gradient of the input, whose batch and channels are known to fit.</summary>
    internal static void RunBackward(
        FeatureMap gradOutput, FeatureMap gradInput, InterpolationMode mode, bool alignCorners)
    {
        using var call = Operands.Hold(gradOutput, gradInput);
        ResamplingKernels.For(gradOutput).ResampleBackward(mode, alignCorners, gradOutput, gradInput);
    }

    private static MapShape Resized(MapShape input, MapShape output) =>
        new(input.Batch, input.Channels, output.Height, output.Width);

    // The gradient of an output that the forward cannot make.
    private static void CheckSize(string name, FeatureMap map)
    {
        if (map.Shape.Height > Largest || map.Shape.Width > Largest)
        {
            throw new ArgumentOutOfRangeException(
                name,
                $"'{name}' is {map.Shape}, but an output has at most {Largest:N0} rows and columns; interpolate parts of it. " +
                OperandChecks.Describe(new Operand(name, map)));
        }
    }

    private static void Check<T>(
        string name, FeatureMap<T> operand, int height, int width, InterpolationMode mode, bool alignCorners)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(operand, name);
        EnumChecks.Defined(mode);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, Largest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, Largest);
        if (alignCorners && mode == InterpolationMode.Nearest)
        {
            throw new ArgumentException(
                "'alignCorners' applies to bilinear interpolation only; leave it out, or choose Bilinear.",
                nameof(alignCorners));
        }
        Operand o = new(name, operand);
        OperandChecks.SameDevice(o);
        SupportChecks.Require(operand, o);
    }
}
