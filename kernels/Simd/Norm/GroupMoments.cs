using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What GroupNorm knows of the group of every channel of an image, repeated for every channel.</summary>
internal readonly unsafe ref struct GroupMoments<TStorage, T>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public GroupMoments(ref ScratchAllocator scratch, int channels)
    {
        Means = scratch.Take<T>(channels);
        Reciprocals = scratch.Take<T>(channels);
        GradientMeans = scratch.Take<T>(channels);
        ProductMeans = scratch.Take<T>(channels);
    }

    /// <summary>Gets the mean of every channel's group.</summary>
    public T* Means { get; }

    /// <summary>Gets the reciprocal deviation of every channel's group.</summary>
    public T* Reciprocals { get; }

    /// <summary>Gets the mean of γ·g of every channel's group.</summary>
    public T* GradientMeans { get; }

    /// <summary>Gets the mean of γ·g·x̂ of every channel's group.</summary>
    public T* ProductMeans { get; }

    public void Fill(in FeatureNormParameters<TStorage, T> parameters, int image)
    {
        Repeat(new MapPointer<T>(in parameters.Statistics), in parameters, image, 0, Means);
        Repeat(new MapPointer<T>(in parameters.Statistics), in parameters, image, 1, Reciprocals);
    }

    public void FillGradients(in FeatureNormParameters<TStorage, T> parameters, int image)
    {
        Repeat(new MapPointer<T>(in parameters.GradientMeans), in parameters, image, 0, GradientMeans);
        Repeat(new MapPointer<T>(in parameters.GradientMeans), in parameters, image, 1, ProductMeans);
    }

    private static void Repeat(
        in MapPointer<T> source, in FeatureNormParameters<TStorage, T> parameters, int image, int part, T* result)
    {
        int perGroup = parameters.ChannelsPerGroup;
        for (int group = 0; group < parameters.Groups; group++)
            new Span<T>(result + group * perGroup, perGroup).Fill(*source.At(image, 2 * group + part, 0, 0));
    }
}
