using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The one place where a program decides whether the lanes run over channels or over cells.</summary>
internal static class SimdFormats
{
    /// <summary>Whether both maps are channels-last with at least one vector of channels.</summary>
    public static bool OverChannels<T>(in MapView<T> source, in MapView<T> destination, int channels, int lanes)
        where T : unmanaged =>
        source.ChannelStride == 1 && destination.ChannelStride == 1 && channels >= lanes;

    /// <summary>
    /// Whether a result is channels-last with at least one vector of channels; what it is made of is staged.
    /// </summary>
    public static bool OverChannels<T>(in MapView<T> result, int channels, int lanes)
        where T : unmanaged => result.ChannelStride == 1 && channels >= lanes;
}
