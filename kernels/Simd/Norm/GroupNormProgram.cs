using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Which way a program of GroupNorm goes.</summary>
internal interface INormDirection
{
    /// <summary>Gets whether the gradient of the features is computed, not the normalised features.</summary>
    static abstract bool IsBackward { get; }
}

/// <summary>(x − mean)·reciprocal·weight + bias.</summary>
internal readonly struct NormForward : INormDirection
{
    public static bool IsBackward => false;
}

/// <summary>r·(γ·g − mean(γ·g) − x̂·mean(γ·g·x̂)).</summary>
internal readonly struct NormBackward : INormDirection
{
    public static bool IsBackward => true;
}

/// <summary>
/// The last step of GroupNorm or of its backward on the CPU, when the statistics of the groups are known. Channels-last
/// maps have the lanes over channels, a tile being some rows of all channels; other maps have them over columns, a tile
/// being some rows of a plane.
/// </summary>
internal readonly unsafe struct GroupNormProgram<TSimd, TStorage, TReal, TVector, TDirection>
    : ITileProgram<FeatureNormParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TDirection : struct, INormDirection
{
    private const int ValuesPerTile = 1 << 15;

    public static long TileCount(in FeatureNormParameters<TStorage, TReal> parameters) => Tiling(in parameters).Count(
        IsOverChannels(in parameters)
            ? parameters.Extent.Batch
            : (long)parameters.Extent.Batch * parameters.Extent.InputChannels);

    public static double Operations(in FeatureNormParameters<TStorage, TReal> parameters) =>
        8.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    public static long ScratchBytes(in FeatureNormParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new GroupMoments<TStorage, TReal>(ref scratch, parameters.Extent.InputChannels);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureNormParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var moments = new GroupMoments<TStorage, TReal>(ref allocator, parameters.Extent.InputChannels);
        bool overChannels = IsOverChannels(in parameters);
        var rows = Tiling(in parameters)[tile];
        var weight = ViewPointer.Of(parameters.Weight);
        var bias = ViewPointer.Of(parameters.Bias);
        int channel = 0;
        int image = rows.Image;
        if (!overChannels)
            (image, channel) = Math.DivRem(rows.Image, parameters.Extent.InputChannels);
        moments.Fill(in parameters, image);
        if (TDirection.IsBackward)
            moments.FillGradients(in parameters, image);
        for (int row = rows.First; row < rows.End; row++)
        {
            if (overChannels)
                Pixels(in parameters, in moments, weight, bias, image, row);
            else
                Plane(in parameters, in moments, weight[channel], bias[channel], image, channel, row);
        }
    }

    private static bool IsOverChannels(in FeatureNormParameters<TStorage, TReal> parameters) =>
        SimdFormats.OverChannels(
            in parameters.Input, in parameters.Result, parameters.Extent.InputChannels, TSimd.Lanes)
            && (!TDirection.IsBackward || parameters.Gradient.ChannelStride == 1);

    private static RowTiling Tiling(in FeatureNormParameters<TStorage, TReal> parameters) => new(
        parameters.Extent.Height,
        (long)parameters.Extent.Width * (IsOverChannels(in parameters) ? parameters.Extent.InputChannels : 1),
        ValuesPerTile);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in FeatureNormParameters<TStorage, TReal> parameters,
        in GroupMoments<TStorage, TReal> moments,
        TReal* weight,
        TReal* bias,
        int image,
        int row)
    {
        int lanes = TSimd.Lanes;
        int channels = parameters.Extent.InputChannels;
        int whole = channels / lanes * lanes;
        bool accumulates = TDirection.IsBackward && parameters.Accumulate != 0;
        TStorage* own = new MapPointer<TStorage>(in parameters.Input).At(image, 0, row, 0);
        TStorage* slope = new MapPointer<TStorage>(in parameters.Gradient).At(image, 0, row, 0);
        TStorage* to = new MapPointer<TStorage>(in parameters.Result).At(image, 0, row, 0);
        TReal* means = moments.Means;
        TReal* reciprocals = moments.Reciprocals;
        TReal* gradientMeans = moments.GradientMeans;
        TReal* productMeans = moments.ProductMeans;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            for (int channel = 0; channel < whole; channel += lanes)
            {
                var reciprocal = TSimd.Load(reciprocals + channel);
                var factor = TSimd.Load(weight + channel);
                var centred = TSimd.Subtract(TSimd.LoadStorage(own + channel), TSimd.Load(means + channel));
                var value = TSimd.Multiply(centred, reciprocal);
                if (TDirection.IsBackward)
                {
                    var scaled = TSimd.Multiply(factor, TSimd.LoadStorage(slope + channel));
                    var shared = TSimd.MultiplyAdd(
                        value, TSimd.Load(productMeans + channel), TSimd.Load(gradientMeans + channel));
                    value = TSimd.Multiply(reciprocal, TSimd.Subtract(scaled, shared));
                    if (accumulates)
                        value = TSimd.Add(value, TSimd.LoadStorage(to + channel));
                }
                else
                {
                    value = TSimd.MultiplyAdd(value, factor, TSimd.Load(bias + channel));
                }
                TSimd.StoreStorage(to + channel, value);
            }
            for (int channel = whole; channel < channels; channel++)
            {
                TReal value = (TSimd.Widen(own[channel]) - means[channel]) * reciprocals[channel];
                if (TDirection.IsBackward)
                {
                    TReal scaled = weight[channel] * TSimd.Widen(slope[channel]);
                    value = reciprocals[channel] * (scaled - gradientMeans[channel] - value * productMeans[channel]);
                    if (accumulates)
                        value += TSimd.Widen(to[channel]);
                }
                else
                {
                    value = value * weight[channel] + bias[channel];
                }
                to[channel] = TSimd.Narrow(value);
            }
            own += (nint)parameters.Input.ColumnStride;
            slope += (nint)parameters.Gradient.ColumnStride;
            to += (nint)parameters.Result.ColumnStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Plane(
        in FeatureNormParameters<TStorage, TReal> parameters,
        in GroupMoments<TStorage, TReal> moments,
        TReal weight,
        TReal bias,
        int image,
        int channel,
        int row)
    {
        int lanes = TSimd.Lanes;
        int columns = parameters.Extent.Width;
        bool accumulates = TDirection.IsBackward && parameters.Accumulate != 0;
        TStorage* own = new MapPointer<TStorage>(in parameters.Input).At(image, channel, row, 0);
        TStorage* slope = new MapPointer<TStorage>(in parameters.Gradient).At(image, channel, row, 0);
        TStorage* to = new MapPointer<TStorage>(in parameters.Result).At(image, channel, row, 0);
        nint ownStep = (nint)parameters.Input.ColumnStride;
        nint slopeStep = (nint)parameters.Gradient.ColumnStride;
        nint step = (nint)parameters.Result.ColumnStride;
        TReal mean = moments.Means[channel];
        TReal reciprocal = moments.Reciprocals[channel];
        TReal gradientMean = TDirection.IsBackward ? moments.GradientMeans[channel] : TReal.Zero;
        TReal productMean = TDirection.IsBackward ? moments.ProductMeans[channel] : TReal.Zero;
        int column = 0;
        if (ownStep == 1 && step == 1 && (!TDirection.IsBackward || slopeStep == 1))
        {
            var centre = TSimd.Broadcast(mean);
            var deviation = TSimd.Broadcast(reciprocal);
            var factor = TSimd.Broadcast(weight);
            var offset = TSimd.Broadcast(bias);
            var gradientShare = TSimd.Broadcast(gradientMean);
            var productShare = TSimd.Broadcast(productMean);
            for (; column + lanes <= columns; column += lanes)
            {
                var value = TSimd.Multiply(TSimd.Subtract(TSimd.LoadStorage(own + column), centre), deviation);
                if (TDirection.IsBackward)
                {
                    var scaled = TSimd.Multiply(factor, TSimd.LoadStorage(slope + column));
                    var shared = TSimd.MultiplyAdd(value, productShare, gradientShare);
                    value = TSimd.Multiply(deviation, TSimd.Subtract(scaled, shared));
                    if (accumulates)
                        value = TSimd.Add(value, TSimd.LoadStorage(to + column));
                }
                else
                {
                    value = TSimd.MultiplyAdd(value, factor, offset);
                }
                TSimd.StoreStorage(to + column, value);
            }
        }
        for (; column < columns; column++)
        {
            TReal value = (TSimd.Widen(own[column * ownStep]) - mean) * reciprocal;
            if (TDirection.IsBackward)
            {
                value = reciprocal
                    * (weight * TSimd.Widen(slope[column * slopeStep]) - gradientMean - value * productMean);
                if (accumulates)
                    value += TSimd.Widen(to[column * step]);
            }
            else
            {
                value = value * weight + bias;
            }
            to[column * step] = TSimd.Narrow(value);
        }
    }
}
