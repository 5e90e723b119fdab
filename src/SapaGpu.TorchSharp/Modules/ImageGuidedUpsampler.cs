using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// The base of modules that upsample features of any backbone with an image, to any size: cross-resolution attention
/// (<see cref="SapaFunctional.CrossAttention"/>) of queries and keys that an encoder computes from the image.
/// <c>call(image, features, height, width)</c>.
/// </summary>
/// <remarks>
/// The encoder works in the type of the parameters; queries and keys are then rounded to that of the features, which are the values.
/// On the processor, with parameters of type float32 or float64, it is that of the library, otherwise one of torch's own operators; second
/// derivatives are always those of torch's operators. Twice differentiable.
/// </remarks>
public abstract class ImageGuidedUpsampler : torch.nn.Module<torch.Tensor, torch.Tensor, int, int, torch.Tensor>
{
    private const int ImageChannels = 3;
    private readonly AttentionEncoder definition;
    private readonly IReadOnlyCollection<string> bufferNames;
    private RangesOfSizes? lastRanges;

    private protected ImageGuidedUpsampler(
        string name,
        AttentionEncoder definition,
        torch.Device? device,
        torch.ScalarType? type,
        params IReadOnlyCollection<string> buffers)
        : base(name)
    {
        this.definition = definition;
        bufferNames = buffers;
        ModuleParameters.Register(this, definition.Specs, device, type, buffers);
        RegisterComponents();
    }

    /// <summary>Gets or sets whether the encoder is of torch's operators in any case, for comparisons.</summary>
    internal bool Composes { get; set; }

    /// <summary>Upsamples features to a size.</summary>
    /// <param name="image">The image, [B, 3, Hi, Wi], normalised as for training.</param>
    /// <param name="features">The features, [B, C, H, W].</param>
    /// <param name="height">OH, of any ratio to H and Hi.</param>
    /// <param name="width">OW, of any ratio to W and Wi.</param>
    /// <returns>The output, [B, C, OH, OW], in the type and memory format of the features.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is below 1.</exception>
    /// <exception cref="ArgumentException">
    /// The shapes do not match each other or the options, a type is not supported, or a map is too small for a border that is
    /// mirrored.
    /// </exception>
    /// <exception cref="InvalidOperationException">The operands are on different devices, or the module was disposed.</exception>
    /// <exception cref="NotSupportedException">The device is not supported.</exception>
    public override torch.Tensor forward(torch.Tensor image, torch.Tensor features, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        TensorOperands.Check(GetName(), new NamedMap(nameof(image), image), new NamedMap(nameof(features), features));
        ChannelChecks.Require(this, nameof(image), image, ImageChannels);
        using var scope = torch.NewDisposeScope();
        if (image.shape[0] == 0 && features.shape[0] == 0)
            return Empty(image, features, height, width).MoveToOuterDisposeScope();
        CheckSizes(image, features, height, width);
        var parameters = EncoderParameters.Of(this, definition.Specs, bufferNames);
        var (query, key) = Encode(parameters, image.to_type(parameters.Type), features, height, width);
        return SapaFunctional.CrossAttention(
            query.to_type(features.dtype),
            key.to_type(features.dtype),
            features,
            Ranges(features, height, width),
            definition.Attention)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Computes queries of the size of the output and keys of that of the features, by torch's own operators.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="image">The image in their type.</param>
    /// <param name="features">The features in their type where keys depend on them; otherwise only the size of the keys matters.</param>
    /// <param name="size">The size of the features, H and W.</param>
    /// <param name="height">OH.</param>
    /// <param name="width">OW.</param>
    private protected abstract (torch.Tensor Query, torch.Tensor Key) Compose(
        EncoderParameters parameters,
        torch.Tensor image,
        torch.Tensor? features,
        (long Height, long Width) size,
        int height,
        int width);

    private (torch.Tensor Query, torch.Tensor Key) Encode(
        EncoderParameters parameters, torch.Tensor image, torch.Tensor features, int height, int width)
    {
        var size = (features.shape[2], features.shape[3]);
        var read = definition.ReadsFeatures ? features.to_type(parameters.Type) : features;
        return !Composes && LibraryEncoder.Suits(image, parameters)
            ? EncoderFunction.Run(definition, parameters, image, read, height, width, Composed)
            : Composed(parameters, image, definition.ReadsFeatures ? read : null);

        (torch.Tensor Query, torch.Tensor Key) Composed(EncoderParameters own, torch.Tensor pixels, torch.Tensor? cells) =>
            Compose(own, pixels, cells, size, height, width);
    }

    // Torch's operators do not all take a batch of no images.
    private torch.Tensor Empty(torch.Tensor image, torch.Tensor features, int height, int width)
    {
        var output = torch.zeros([0, features.shape[1], height, width], features.dtype, features.device);
        var sum = image.sum().to_type(features.dtype) + features.sum();
        foreach (var parameter in parameters())
            sum = sum + 0 * parameter.sum().to_type(features.dtype);
        return output + sum;
    }

    private void CheckSizes(torch.Tensor image, torch.Tensor features, int height, int width)
    {
        var (pixels, cells) = (TorchMemory.ShapeOf(image), TorchMemory.ShapeOf(features));
        if (pixels.Batch != cells.Batch)
        {
            throw new ArgumentException(
                $"{GetName()}: there are {pixels.Batch} images for features of {cells.Batch}; give one for each. 'image' is " +
                $"{pixels}, 'features' {cells}.",
                nameof(image));
        }
        var output = new MapShape(cells.Batch, cells.Channels, height, width);
        if (definition.Objection(pixels, cells, output) is { } objection)
        {
            throw new ArgumentException(
                $"{GetName()}: upsampling to {height}x{width} is not possible: {objection}. 'image' is {pixels}, 'features' {cells}.");
        }
    }

    // Kept for calls of the same size, with the tables that devices derive from them.
    private WindowRanges Ranges(torch.Tensor features, int height, int width)
    {
        var cells = TorchMemory.ShapeOf(features);
        var sizes = (cells.Height, cells.Width, height, width);
        var last = Volatile.Read(ref lastRanges);
        if (last is null || last.Sizes != sizes)
        {
            last = new RangesOfSizes(
                sizes, definition.Ranges(cells, new MapShape(cells.Batch, cells.Channels, height, width)));
            Volatile.Write(ref lastRanges, last);
        }
        return last.Ranges;
    }

    private sealed record RangesOfSizes((int Height, int Width, int OutputHeight, int OutputWidth) Sizes, WindowRanges Ranges);
}
