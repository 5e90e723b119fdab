using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What is made of the sums of the rows of a group.</summary>
internal interface IGroupTotal
{
    /// <summary>Gets whether the reciprocal deviation is computed from sums of squares, not the mean.</summary>
    static abstract bool IsDeviation { get; }

    /// <summary>Gets whether the means that the gradient is freed of are computed, from pairs of sums.</summary>
    static abstract bool IsOfGradients { get; }
}

/// <summary>The mean of every group.</summary>
internal readonly struct MeanTotal : IGroupTotal
{
    public static bool IsDeviation => false;

    public static bool IsOfGradients => false;
}

/// <summary>The reciprocal deviation of every group.</summary>
internal readonly struct DeviationTotal : IGroupTotal
{
    public static bool IsDeviation => true;

    public static bool IsOfGradients => false;
}

/// <summary>The means of γ·g and of γ·g·x̂ of every group.</summary>
internal readonly struct GradientTotal : IGroupTotal
{
    public static bool IsDeviation => false;

    public static bool IsOfGradients => true;
}

/// <summary>
/// The numbers of every group from the sums of its rows on the CPU; a tile is one group of one image.
/// </summary>
internal readonly unsafe struct GroupTotalsProgram<TStorage, TReal, TTotal> : ITileProgram<FeatureNormParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TTotal : struct, IGroupTotal
{
    public static long TileCount(in FeatureNormParameters<TStorage, TReal> parameters) =>
        (long)parameters.Extent.Batch * parameters.Groups;

    public static double Operations(in FeatureNormParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Extent.Batch * parameters.Extent.InputChannels * parameters.Extent.Height;

    public static long ScratchBytes(in FeatureNormParameters<TStorage, TReal> parameters) => 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureNormParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        (long image, long group) = Math.DivRem(tile, parameters.Groups);
        int parts = TTotal.IsOfGradients ? 2 : 1;
        int perGroup = parameters.ChannelsPerGroup;
        int first = (int)group * perGroup;
        var sums = new MapPointer<TReal>(in parameters.RowSums);
        var factors = ViewPointer.Of(parameters.Weight);
        TReal sum = TReal.Zero;
        TReal product = TReal.Zero;
        for (int channel = first; channel < first + perGroup; channel++)
        {
            TReal weight = TTotal.IsOfGradients ? factors[channel] : TReal.One;
            TReal* own = sums.At((int)image, parts * channel, 0, 0);
            for (int row = 0; row < parameters.Extent.Height; row++)
            {
                sum += weight * *own;
                if (TTotal.IsOfGradients)
                    product += weight * own[sums.ChannelStride];
                own += sums.RowStride;
            }
        }
        TReal height = TReal.CreateTruncating(parameters.Extent.Height);
        TReal width = TReal.CreateTruncating(parameters.Extent.Width);
        sum = sum / TReal.CreateTruncating(perGroup) / height / width;
        if (TTotal.IsOfGradients)
        {
            var means = new MapPointer<TReal>(in parameters.GradientMeans);
            *means.At((int)image, 2 * (int)group, 0, 0) = sum;
            *means.At((int)image, 2 * (int)group + 1, 0, 0) =
                product / TReal.CreateTruncating(perGroup) / height / width;
            return;
        }
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        if (TTotal.IsDeviation)
            *statistics.At((int)image, 2 * (int)group + 1, 0, 0) = TReal.One / TReal.Sqrt(sum + parameters.Epsilon);
        else
            *statistics.At((int)image, 2 * (int)group, 0, 0) = sum;
    }
}
