using SapaGpu.Layers;

namespace SapaGpu;

/// <summary>
/// AnyUp (Wimmer et al., <i>AnyUp: Universal Feature Upsampling</i>, ICLR 2026): features of any backbone and any number of channels,
/// upsampled to any size by attention to cells near by, with queries from the image and keys from image and features.
/// </summary>
/// <remarks>
/// <code>
/// encoded = learned positions(image_encoder(image))
/// query   = projection(RMSNorm(conv2d(average pooling of query_encoder(encoded) to OH×OW)))
/// key     = projection(RMSNorm(aggregation([average pooling of key_encoder(encoded) to H×W,
///                                           key_features_encoder(features / their norm)])))
/// output  = CrossAttention(query, key, features), ranges of a ratio of the map, mean weights of the heads
/// </code>
/// <para>The parameters have the names of the published module: image_encoder.0.weight and so on. The last third of
/// cross_decode.cross_attn.attention.in_proj_weight and in_proj_bias and all of out_proj are in checkpoints but have no influence;
/// their gradient is 0.</para>
/// </remarks>
/// <typeparam name="T">
/// The element type of image and features: float, double, <see cref="Half"/> or <see cref="BFloat16"/>. Parameters are double
/// for double, otherwise float.
/// </typeparam>
public sealed class AnyUpUpsampler<T> : ImageGuidedUpsampler<T>
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
    public AnyUpUpsampler(ComputeDevice device, AnyUpOptions? options = null, int seed = 0)
        : base(Checked(device), new AnyUpEncoder(options ?? new AnyUpOptions()), seed) => Options = options ?? new AnyUpOptions();

    /// <summary>Gets the options of the module.</summary>
    public AnyUpOptions Options { get; }
}
