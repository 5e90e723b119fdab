using SapaGpu.Devices;
using SapaGpu.Launch;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// Interpolation of a map to another size, larger or smaller, as PyTorch's <c>F.interpolate</c> defines it.
/// </summary>
/// <remarks>
/// <para>Bilinear: the place of output row y is max((y + ½)·H/OH − ½, 0), or with aligned corners y·(H − 1)/(OH − 1), 0
/// for a single row; columns alike; places beyond the last cell take the last cell. Nearest: row ⌊y·H/OH⌋.</para>
/// <para>Shapes: input [B, C, H, W], output [B, C, OH, OW], each in either format. Positions are computed in whole
/// numbers, so no ratio is rounded. The backward collects per input cell, in a fixed order, without atomics.</para>
/// </remarks>
public static class Interpolate
{
    /// <summary>Brings a map to a size.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="height">OH, the rows of the output.</param>
    /// <param name="width">OW, the columns of the output.</param>
    /// <param name="mode">How values are filled in.</param>
    /// <param name="alignCorners">Whether the corner cells of both maps coincide; bilinear only.</param>
    /// <returns>The output, [B, C, OH, OW], in the format of the input.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1 or above 2²⁹.</exception>
    /// <exception cref="ArgumentException">Corners are to be aligned for the nearest cell.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="ObjectDisposedException">The map or its device was disposed.</exception>
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

    /// <summary>Brings a map to the size of a map of the caller.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, int, int, InterpolationMode, bool)"/>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, OH, OW], in any format.</param>
    /// <param name="mode">How values are filled in.</param>
    /// <param name="alignCorners">Whether the corner cells of both maps coincide; bilinear only.</param>
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

    /// <summary>The gradient of the input, given that of the output.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <param name="height">H, the rows of the input.</param>
    /// <param name="width">W, the columns of the input.</param>
    /// <param name="mode">The mode of the forward.</param>
    /// <param name="alignCorners">Whether the forward aligned corners.</param>
    /// <returns>The gradient, [B, C, H, W], in the format of the output's.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1 or above 2²⁹.</exception>
    /// <exception cref="ArgumentException">Corners are to be aligned for the nearest cell.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="ObjectDisposedException">The gradient or its device was disposed.</exception>
    public static FeatureMap<T> Backward<T>(
        FeatureMap<T> gradOutput,
        int height,
        int width,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        Check(nameof(gradOutput), gradOutput, height, width, mode, alignCorners);
        var shape = new MapShape(gradOutput.Shape.Batch, gradOutput.Shape.Channels, height, width);
        var gradInput = FeatureMap<T>.Create(gradOutput.Device, shape, gradOutput.Format);
        RunBackward(gradOutput, gradInput, mode, alignCorners);
        return gradInput;
    }

    /// <summary>The gradient of the input in a map of the caller, given that of the output.</summary>
    /// <inheritdoc cref="Backward{T}(FeatureMap{T}, int, int, InterpolationMode, bool)"/>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <param name="gradInput">Where the gradient of the input is written, [B, C, H, W], in any format.</param>
    /// <param name="mode">The mode of the forward.</param>
    /// <param name="alignCorners">Whether the forward aligned corners.</param>
    public static void Backward<T>(
        FeatureMap<T> gradOutput,
        FeatureMap<T> gradInput,
        InterpolationMode mode = InterpolationMode.Bilinear,
        bool alignCorners = false)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(gradInput);
        Check(nameof(gradOutput), gradOutput, gradInput.Shape.Height, gradInput.Shape.Width, mode, alignCorners);
        Operand g = new(nameof(gradOutput), gradOutput), i = new(nameof(gradInput), gradInput);
        OperandChecks.SameDevice(g, i);
        OperandChecks.Shape(nameof(gradInput), gradInput, Resized(gradOutput.Shape, gradInput.Shape), g, i);
        OperandChecks.NoOverlap(nameof(gradInput), gradInput, g);
        RunBackward(gradOutput, gradInput, mode, alignCorners);
    }

    /// <summary>Says in words which kernel the forward runs for this map.</summary>
    /// <inheritdoc cref="Forward{T}(FeatureMap{T}, int, int, InterpolationMode, bool)"/>
    /// <returns>The choices that are compiled into the kernel.</returns>
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

    /// <summary>Brings a map to the size of another, whose other dimensions are known to fit.</summary>
    internal static void Run(FeatureMap input, FeatureMap output, InterpolationMode mode, bool alignCorners)
    {
        using var call = Operands.Hold(input, output);
        ResamplingKernels.For(input.ElementType).Resample(mode, alignCorners, input, output);
    }

    /// <summary>The gradient of the input, whose dimensions are known to fit.</summary>
    internal static void RunBackward(
        FeatureMap gradOutput, FeatureMap gradInput, InterpolationMode mode, bool alignCorners)
    {
        using var call = Operands.Hold(gradOutput, gradInput);
        ResamplingKernels.For(gradOutput.ElementType).ResampleBackward(mode, alignCorners, gradOutput, gradInput);
    }

    private static MapShape Resized(MapShape input, MapShape output) =>
        new(input.Batch, input.Channels, output.Height, output.Width);

    private static void Check<T>(
        string name, FeatureMap<T> operand, int height, int width, InterpolationMode mode, bool alignCorners)
        where T : unmanaged
    {
        const int Largest = 1 << 29;
        ArgumentNullException.ThrowIfNull(operand, name);
        EnumChecks.Defined(mode);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, Largest);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, Largest);
        if (alignCorners && mode == InterpolationMode.Nearest)
        {
            throw new ArgumentException(
                "Corners can be aligned for bilinear interpolation only; leave alignCorners out.", nameof(
                    alignCorners));
        }
        Operand o = new(name, operand);
        OperandChecks.SameDevice(o);
        SupportChecks.Require(operand, o);
    }
}
