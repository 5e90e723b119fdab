using SapaGpu.Layers;

namespace SapaGpu;

/// <summary>
/// NAF (Chambon et al., <i>NAF: Zero-Shot Feature Upsampling via Neighborhood Attention Filtering</i>, CVPR 2026): features of any
/// backbone, upsampled to any size by attention to a window of cells, with queries and keys from the image alone.
/// </summary>
/// <remarks>
/// <code>
/// image   = image, resized if it is more than four times the output
/// encoded = [encoder(image), sem_encoder(image)]       convolutions 1×1 and 3×3, mirrored border, GroupNorm, SiLU
/// query   = rotary positions(average pooling of encoded to OH×OW)
/// key     = average pooling of query to H×W
/// output  = CrossAttention(query, key, features), a shifted window, each head on its own channels
/// </code>
/// <para>The parameters have the names of the published module: image_encoder.encoder.0.weight and so on.
/// image_encoder.rope.periods is a buffer, whose gradient is 0. Where OH and OW are whole multiples of H and W and the window fits
/// into the map, results are those of the published module; elsewhere the definition is the same, with windows around the cell
/// of every point, moved inside the map. The random rescaling of coordinates in training is left to the caller.</para>
/// </remarks>
/// <typeparam name="T">
/// The element type of image and features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public sealed class NafUpsampler<T> : ImageGuidedUpsampler<T>
    where T : unmanaged
{
    /// <summary>Creates the module with initial parameters.</summary>
    /// <param name="device">The device that holds the parameters and runs the module.</param>
    /// <param name="options">Channels, heads, window, encoders; null for the defaults.</param>
    /// <param name="seed">The seed of the initial parameters.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number in the options is too small or too large.</exception>
    /// <exception cref="ArgumentException">Numbers in the options do not match each other.</exception>
    /// <exception cref="NotSupportedException">The device does not support the element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public NafUpsampler(ComputeDevice device, NafOptions? options = null, int seed = 0)
        : base(Checked(device), new NafEncoder(options ?? new NafOptions()), seed) => Options = options ?? new NafOptions();

    /// <summary>Gets the options of the module.</summary>
    public NafOptions Options { get; }
}
