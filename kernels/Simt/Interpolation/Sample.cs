using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What interpolation and its adjoint share.</summary>
internal static class Sample
{
    /// <summary>The way from the sample before a place to the one after it.</summary>
    public static TAccumulator Fraction<TElement, TStorage, TAccumulator>(in SamplePlace place)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> =>
        TElement.FromCount(place.Numerator) / TElement.FromCount(place.Denominator);

    /// <summary>The packs of four channels of a map, in the order of its memory.</summary>
    public static MapExtent Packs<TAccess>(int batch, int channels, int height, int width)
        where TAccess : struct, IChannelAccess => new()
        {
            Batch = batch,
            Channels = (channels + 3) / 4,
            Height = height,
            Width = width,
            ChannelsFirst = TAccess.ChannelsFastest ? 1 : 0,
        };
}
