using SapaGpu.Layers;
using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>
/// The base of modules that upsample features of any backbone with an image: cross-resolution attention
/// (<see cref="CrossAttention"/>) of queries and keys that an encoder computes from the image.
/// </summary>
/// <remarks>
/// Queries and keys are computed in the type of the parameters, then rounded to that of the features; values are the features
/// themselves. Both <see cref="MemoryFormat"/>s are taken; the encoder works in that of the image, on the CPU always
/// channels-last.
/// </remarks>
/// <typeparam name="T">
/// The element type of image and features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public abstract class ImageGuidedUpsampler<T> : UpsamplerModule<T>
    where T : unmanaged
{
    private readonly AttentionEncoder encoder;
    private RangesOfSizes? lastRanges;

    private protected ImageGuidedUpsampler(ComputeDevice device, AttentionEncoder encoder, int seed)
        : base(device, encoder.Specs, seed) => this.encoder = encoder;

    /// <summary>Upsamples features to a size.</summary>
    /// <param name="image">The image, [B, 3, Hi, Wi], normalised as for training.</param>
    /// <param name="features">The features, [B, C, H, W].</param>
    /// <param name="outputHeight">OH, of any ratio to H and Hi.</param>
    /// <param name="outputWidth">OW, of any ratio to W and Wi.</param>
    /// <returns>The output, [B, C, OH, OW], in the format of the features.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes do not match each other or the options, or a map is too small for a border that is mirrored.
    /// </exception>
    /// <exception cref="DeviceMismatchException">A map is not on the device of the module.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the module or its device was disposed.</exception>
    public FeatureMap<T> Forward(FeatureMap<T> image, FeatureMap<T> features, int outputHeight, int outputWidth)
    {
        var shape = Check(image, features, outputHeight, outputWidth);
        var output = FeatureMap<T>.Create(features.Device, shape, features.Format);
        Run(image, features, output);
        return output;
    }

    /// <summary>Upsamples features into an existing map, to its size.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T}, FeatureMap{T}, int, int)" path="/exception"/>
    /// <param name="image">The image, [B, 3, Hi, Wi], normalised as for training.</param>
    /// <param name="features">The features, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, C, OH, OW], in either format.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="output"/> has another batch or other channels, or shares memory with an input.
    /// </exception>
    public void Forward(FeatureMap<T> image, FeatureMap<T> features, FeatureMap<T> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var shape = Check(image, features, output.Shape.Height, output.Shape.Width);
        CheckOutput(output, shape, new(nameof(image), image), new(nameof(features), features));
        Run(image, features, output);
    }

    /// <summary>Upsamples features to a size and returns a context for the backward.</summary>
    /// <inheritdoc cref="Forward(FeatureMap{T}, FeatureMap{T}, int, int)" path="/returns|/exception"/>
    /// <param name="image">The image, [B, 3, Hi, Wi], normalised as for training.</param>
    /// <param name="features">The features, [B, C, H, W].</param>
    /// <param name="outputHeight">OH, of any ratio to H and Hi.</param>
    /// <param name="outputWidth">OW, of any ratio to W and Wi.</param>
    /// <param name="context">The context for <see cref="Backward"/>, which the caller disposes.</param>
    public FeatureMap<T> Forward(
        FeatureMap<T> image, FeatureMap<T> features, int outputHeight, int outputWidth, out ImageGuidedContext<T> context)
    {
        var shape = Check(image, features, outputHeight, outputWidth);
        using var call = Operands.Hold(image, features);
        using var parameters = HoldParameters();
        var trace = new Trace(keeps: true);
        FeatureMap<T>? query = null, key = null;
        try
        {
            (query, key) = Encode(image, features, shape, trace);
            var output = CrossAttention.Forward(
                query, key, features, Ranges(features.Shape, shape), encoder.Attention, null, out var attention);
            context = new ImageGuidedContext<T>(this, image.Format, trace, query, key, attention);
            return output;
        }
        catch
        {
            trace.Dispose();
            query?.Dispose();
            key?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Computes the gradients of image, features and every parameter from the gradient of the output. Parameters without influence
    /// and buffers have the gradient 0.
    /// </summary>
    /// <param name="context">The context of the forward.</param>
    /// <param name="gradOutput">The gradient of the output, [B, C, OH, OW].</param>
    /// <returns>The gradients, which the caller disposes.</returns>
    /// <exception cref="ArgumentException">
    /// Another module made the context, or the gradient does not have the shape of the output.
    /// </exception>
    /// <exception cref="DeviceMismatchException">The gradient is on another device.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">A map, the context, the module or its device was disposed.</exception>
    public ImageGuidedGradients<T> Backward(ImageGuidedContext<T> context, FeatureMap<T> gradOutput)
    {
        ArgumentNullException.ThrowIfNull(context);
        CheckContext(context.Module, nameof(context));
        using var parameters = HoldParameters();
        using var intermediates = context.Hold();
        var attended = CrossAttention.Backward(context.Attention, gradOutput);
        var values = ValuesFor(gradOutput);
        var gradients = values.CreateLike();
        var (gradImage, gradFeatures) = encoder.Backward(
            values, gradients, WidenOwn(attended.Query!), WidenOwn(attended.Key!), context.Trace.Read());
        var gradValue = attended.Value!;
        if (gradFeatures is not null)
        {
            using var rounded = Round(gradFeatures, gradFeatures.Format);
            Conversions.Add(rounded, gradValue);
        }
        return new ImageGuidedGradients<T>(Round(gradImage, context.ImageFormat), gradValue, gradients.HandOver());
    }

    private protected static ComputeDevice Checked(ComputeDevice device)
    {
        CheckDevice(device, window: 1);
        return device;
    }

    private static FeatureMap WidenOwn(FeatureMap<T> map)
    {
        using (map)
            return Precision.Widen(map);
    }

    private static FeatureMap<T> Round(FeatureMap map, MemoryFormat format)
    {
        using (map)
            return Precision.Narrow<T>(map, format);
    }

    private void Run(FeatureMap<T> image, FeatureMap<T> features, FeatureMap<T> output)
    {
        using var call = Operands.Hold(image, features, output);
        using var parameters = HoldParameters();
        using var trace = new Trace(keeps: false);
        var (query, key) = Encode(image, features, output.Shape, trace);
        using (query)
        using (key)
        {
            CrossAttention.Forward(
                query, key, features, output, Ranges(features.Shape, output.Shape), encoder.Attention);
        }
    }

    private (FeatureMap<T> Query, FeatureMap<T> Key) Encode(
        FeatureMap<T> image, FeatureMap<T> features, MapShape output, Trace trace)
    {
        var (query, key) = encoder.Forward(ValuesFor(features), Precision.Prepare(image), features, output, trace);
        return (Round(query, query.Format), Round(key, key.Format));
    }

    // The tables of the ranges are copied to the device once for calls of the same size.
    private WindowRanges Ranges(MapShape features, MapShape output)
    {
        var last = Volatile.Read(ref lastRanges);
        var sizes = (features.Height, features.Width, output.Height, output.Width);
        if (last is null || last.Sizes != sizes)
        {
            last = new RangesOfSizes(sizes, encoder.Ranges(features, output));
            Volatile.Write(ref lastRanges, last);
        }
        return last.Ranges;
    }

    private MapShape Check(FeatureMap<T> image, FeatureMap<T> features, int outputHeight, int outputWidth)
    {
        const int ImageChannels = 3;
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(features);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputHeight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputWidth, 1);
        Operand i = new(nameof(image), image), f = new(nameof(features), features);
        CheckFeatures(i, ImageChannels, i, f);
        var low = features.Shape;
        if (image.Shape.Batch != low.Batch)
        {
            throw new ArgumentException(
                $"There are {image.Shape.Batch} images for features of {low.Batch}; give one for each. " +
                OperandChecks.Describe(i, f),
                nameof(image));
        }
        var output = new MapShape(low.Batch, low.Channels, outputHeight, outputWidth);
        return encoder.Objection(image.Shape, low, output) is { } objection
            ? throw new ArgumentException(
                $"Upsampling to {outputHeight}x{outputWidth} is not possible: {objection}. {OperandChecks.Describe(i, f)}")
            : output;
    }

    private sealed record RangesOfSizes((int Height, int Width, int OutputHeight, int OutputWidth) Sizes, WindowRanges Ranges);
}
