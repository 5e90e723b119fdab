using SapaGpu.Layers;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace SapaGpu.TorchSharp;

/// <summary>
/// NAF as a TorchSharp module (Chambon et al., CVPR 2026): upsamples features of any backbone with an image, by
/// cross-resolution attention of positions and colours.
/// </summary>
/// <remarks>
/// Parameters have the names of the published module: image_encoder.encoder.0.weight and so on; image_encoder.rope.periods is a
/// buffer. For the formulas and the initial values see <see cref="NafUpsampler{T}"/>.
/// </remarks>
public sealed class NafUpsampler : ImageGuidedUpsampler
{
    private const string Periods = "image_encoder.rope.periods";

    /// <summary>Creates the module with initial parameters, drawn from torch's generator.</summary>
    /// <param name="options">Channels, heads, window, encoders; null for the defaults.</param>
    /// <param name="device">The device of the parameters; null for the CPU.</param>
    /// <param name="dtype">The type of the parameters; null for torch's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number in the options is too small or too large.</exception>
    /// <exception cref="ArgumentException">Numbers in the options do not match each other.</exception>
    public NafUpsampler(NafOptions? options = null, torch.Device? device = null, torch.ScalarType? dtype = null)
        : base(nameof(NafUpsampler), new NafEncoder(options ?? new NafOptions()), device, dtype, Periods) =>
        Options = options ?? new NafOptions();

    /// <summary>Gets the options that the module was created with.</summary>
    public NafOptions Options { get; }

    private protected override (torch.Tensor Query, torch.Tensor Key) Compose(
        EncoderParameters parameters,
        torch.Tensor image,
        torch.Tensor? features,
        (long Height, long Width) size,
        int height,
        int width)
    {
        var (rows, columns) = new ImageLimit(height, width).Of(TorchMemory.ShapeOf(image));
        var limited = image.shape[2] == rows && image.shape[3] == columns
            ? image
            : functional.interpolate(image, [rows, columns], mode: torch.InterpolationMode.Bilinear, align_corners: false);
        using var encoded = EncoderLayers.Chain(
            limited, map => Encoded(parameters, map), map => EncoderLayers.Pool(map, height, width));
        var query = RotaryLayers.Periodic(parameters.Required(Periods), encoded);
        return (query, EncoderLayers.Pool(query, size.Height, size.Width));
    }

    private torch.Tensor Encoded(EncoderParameters parameters, torch.Tensor image)
    {
        using var colours = Encoder(parameters, "image_encoder.encoder", image);
        using var surroundings = Encoder(parameters, "image_encoder.sem_encoder", image);
        return torch.cat([colours, surroundings], 1);
    }

    private torch.Tensor Encoder(EncoderParameters parameters, string name, torch.Tensor image)
    {
        var layers = new List<Func<torch.Tensor, torch.Tensor>> { Convolve($"{name}.0") };
        for (int block = 1; block <= Options.Blocks; block++)
        {
            for (int part = 1; part <= 2; part++)
            {
                string norm = $"{name}.{block}.norm{part}";
                layers.Add(map => parameters.NormSilu(norm, map, Options.NormGroups, Options.Epsilon));
                layers.Add(Convolve($"{name}.{block}.conv{part}"));
            }
        }
        return EncoderLayers.Chain(image, [.. layers]);

        Func<torch.Tensor, torch.Tensor> Convolve(string layer) => map => parameters.Convolve(layer, map, mirrors: true);
    }
}
