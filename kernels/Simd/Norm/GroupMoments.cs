using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What GroupNorm knows of the group of every channel of an image, repeated for every channel.</summary>
internal readonly unsafe ref struct GroupMoments<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public GroupMoments(ref ScratchAllocator scratch, int channels)
    {
        Means = scratch.Take<TReal>(channels);
        Reciprocals = scratch.Take<TReal>(channels);
        GradientMeans = scratch.Take<TReal>(channels);
        ProductMeans = scratch.Take<TReal>(channels);
    }

    /// <summary>Gets the mean of every channel's group.</summary>
    public TReal* Means { get; }

    /// <summary>Gets the reciprocal deviation of every channel's group.</summary>
    public TReal* Reciprocals { get; }

    /// <summary>Gets the mean of γ·g of every channel's group.</summary>
    public TReal* GradientMeans { get; }

    /// <summary>Gets the mean of γ·g·x̂ of every channel's group.</summary>
    public TReal* ProductMeans { get; }

    public void Fill(in FeatureNormParameters<TStorage, TReal> parameters, int image)
    {
        Repeat(new MapPointer<TReal>(in parameters.Statistics), in parameters, image, 0, Means);
        Repeat(new MapPointer<TReal>(in parameters.Statistics), in parameters, image, 1, Reciprocals);
    }

    public void FillGradients(in FeatureNormParameters<TStorage, TReal> parameters, int image)
    {
        Repeat(new MapPointer<TReal>(in parameters.GradientMeans), in parameters, image, 0, GradientMeans);
        Repeat(new MapPointer<TReal>(in parameters.GradientMeans), in parameters, image, 1, ProductMeans);
    }

    private static void Repeat(
        in MapPointer<TReal> source, in FeatureNormParameters<TStorage, TReal> parameters, int image, int part, TReal* result)
    {
        int perGroup = parameters.ChannelsPerGroup;
        for (int group = 0; group < parameters.Groups; group++)
            new Span<TReal>(result + group * perGroup, perGroup).Fill(*source.At(image, 2 * group + part, 0, 0));
    }
}
