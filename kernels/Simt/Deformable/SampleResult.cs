using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What is made of the similarities of a query and the four cells around one of its points.</summary>
internal interface ISampleResult
{
    /// <summary>Writes the result of a point.</summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="image">The image.</param>
    /// <param name="point">The point, among those of all groups.</param>
    /// <param name="row">The row of the query.</param>
    /// <param name="column">The column of the query.</param>
    /// <param name="similarities">Those of the upper left, upper right, lower left and lower right cell.</param>
    /// <param name="fraction">The fractions of the point across (X) and down (Y).</param>
    static abstract void Write<TElement, TStorage, TReal>(
        in DeformableSamplingParameters<TStorage> parameters,
        int image,
        int point,
        int row,
        int column,
        in Pack4<TReal> similarities,
        in Pack2<TReal> fraction)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;
}

/// <summary>The similarity of the query and the map at the point, [B, G·P, OH, OW].</summary>
internal readonly struct SampleScore : ISampleResult
{
    public static void Write<TElement, TStorage, TReal>(
        in DeformableSamplingParameters<TStorage> parameters,
        int image,
        int point,
        int row,
        int column,
        in Pack4<TReal> similarities,
        in Pack2<TReal> fraction)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var left = TReal.One - fraction.X;
        var score = (TReal.One - fraction.Y) * (left * similarities.X + fraction.X * similarities.Y)
            + fraction.Y * (left * similarities.Z + fraction.X * similarities.W);
        parameters.Result.Data[parameters.Result.Offset(image, point, row, column)] = TElement.Store(score);
    }
}

/// <summary>
/// The gradient of the offsets, [B, G·P·2, OH, OW]: the weight of a point times the derivative, along either axis, of
/// the similarity of the query's features and the map at the point. At a whole number it is the derivative towards
/// larger coordinates.
/// </summary>
internal readonly struct SampleSlope : ISampleResult
{
    public static void Write<TElement, TStorage, TReal>(
        in DeformableSamplingParameters<TStorage> parameters,
        int image,
        int point,
        int row,
        int column,
        in Pack4<TReal> similarities,
        in Pack2<TReal> fraction)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var weight = TElement.Load(parameters.Weights.Data[parameters.Weights.Offset(image, point, row, column)]);
        var across = weight * ((TReal.One - fraction.Y) * (similarities.Y - similarities.X)
            + fraction.Y * (similarities.W - similarities.Z));
        var down = weight * ((TReal.One - fraction.X) * (similarities.Z - similarities.X)
            + fraction.X * (similarities.W - similarities.Y));
        long result = parameters.Result.Offset(image, 2 * point, row, column);
        if (parameters.Accumulate != 0)
        {
            across += TElement.Load(parameters.Result.Data[result]);
            down += TElement.Load(parameters.Result.Data[result + parameters.Result.ChannelStride]);
        }
        parameters.Result.Data[result] = TElement.Store(across);
        parameters.Result.Data[result + parameters.Result.ChannelStride] = TElement.Store(down);
    }
}
