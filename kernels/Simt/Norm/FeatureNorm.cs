using System.Numerics;
using ILGPU;

namespace SapaGpu.Kernels.Maps;


/// <summary>
/// The contract of feature normalisation as steps of its own: over the channels of one pixel, or over a group of channels
/// of a whole image. Statistics and means have two channels for every group; where they do not depend on the pixel, their
/// strides over rows and columns are 0.
/// </summary>
public struct FeatureNormParameters<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>The extent; both channel counts are the same.</summary>
    public PointwiseExtent Extent;

    /// <summary>The groups of channels.</summary>
    public int Groups;

    /// <summary>The features, [B, C, H, W].</summary>
    public MapView<TStorage> Input;

    /// <summary>The gradient of the normalised features, [B, C, H, W].</summary>
    public MapView<TStorage> Gradient;

    /// <summary>The normalised features, or the gradient of the features, [B, C, H, W].</summary>
    public MapView<TStorage> Result;

    /// <summary>Mean and reciprocal deviation of every group, [B, 2·G, H or 1, W or 1].</summary>
    public MapView<TAccumulator> Statistics;

    /// <summary>Two sums over every row of every channel, [B, 2·C, H, 1].</summary>
    public MapView<TAccumulator> RowSums;

    /// <summary>The means of the gradient and of its product with the normalised features, [B, 2·G, 1, 1].</summary>
    public MapView<TAccumulator> GradientMeans;

    /// <summary>The factor, [C].</summary>
    public ArrayView<TAccumulator> Weight;

    /// <summary>The offset, [C].</summary>
    public ArrayView<TAccumulator> Bias;

    /// <summary>The gradient of the factor, [C].</summary>
    public ArrayView<TAccumulator> GradWeight;

    /// <summary>The gradient of the offset, [C].</summary>
    public ArrayView<TAccumulator> GradBias;

    /// <summary>What is added to the variance.</summary>
    public TAccumulator Epsilon;

    /// <summary>Whether the gradient is added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;

    /// <summary>Gets the channels of a group.</summary>
    public readonly int ChannelsPerGroup => Extent.InputChannels / Groups;
}

/// <summary>Mean and reciprocal deviation over the channels of every pixel.</summary>
public readonly struct PixelMoments<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) => MapExtent.Of(
        in parameters.Statistics, parameters.Extent.Batch, 1, parameters.Extent.Height, parameters.Extent.Width);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.Extent.InputChannels;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int channels = parameters.Extent.InputChannels;
        var count = TElement.FromCount(channels);
        long first = at.In(in parameters.Input);
        var sum = TAccumulator.Zero;
        for (int channel = 0; channel < channels; channel++)
            sum += TElement.Load(parameters.Input.Data[first + channel * parameters.Input.ChannelStride]);
        var mean = sum / count;
        sum = TAccumulator.Zero;
        for (int channel = 0; channel < channels; channel++)
        {
            var centred = TElement.Load(parameters.Input.Data[first + channel * parameters.Input.ChannelStride]) - mean;
            sum += centred * centred;
        }
        long result = at.In(in parameters.Statistics);
        parameters.Statistics.Data[result] = mean;
        parameters.Statistics.Data[result + parameters.Statistics.ChannelStride] =
            TAccumulator.One / TAccumulator.Sqrt(sum / count + parameters.Epsilon);
    }
}

/// <summary>The sum of every row of every channel.</summary>
public readonly struct RowSums<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) => MapExtent.Of(
        in parameters.Input, parameters.Extent.Batch, parameters.Extent.InputChannels, parameters.Extent.Height, 1);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        2.0 * parameters.Extent.Width;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        long offset = at.In(in parameters.Input);
        var sum = TAccumulator.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            sum += TElement.Load(parameters.Input.Data[offset]);
            offset += parameters.Input.ColumnStride;
        }
        parameters.RowSums.Data[at.In(in parameters.RowSums)] = sum;
    }
}

/// <summary>The sum of the squares of every row of every channel, after the mean of its group was subtracted.</summary>
public readonly struct RowSquares<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        RowSums<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.Extent.Width;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.ChannelsPerGroup;
        var mean = parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * group, 0, 0)];
        long offset = at.In(in parameters.Input);
        var sum = TAccumulator.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            var centred = TElement.Load(parameters.Input.Data[offset]) - mean;
            sum += centred * centred;
            offset += parameters.Input.ColumnStride;
        }
        parameters.RowSums.Data[at.In(in parameters.RowSums)] = sum;
    }
}

/// <summary>The mean of every group from the sums of its rows.</summary>
public readonly struct GroupMeans<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = parameters.Extent.Batch,
        Channels = parameters.Groups,
        Height = 1,
        Width = 1,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        (double)parameters.ChannelsPerGroup * parameters.Extent.Height;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at) =>
        parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * at.Channel, 0, 0)] =
            Mean(in parameters, in at);

    internal static TAccumulator Mean(
        in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int perGroup = parameters.ChannelsPerGroup;
        var sum = TAccumulator.Zero;
        for (int channel = at.Channel * perGroup; channel < (at.Channel + 1) * perGroup; channel++)
        {
            for (int row = 0; row < parameters.Extent.Height; row++)
                sum += parameters.RowSums.Data[parameters.RowSums.Offset(at.Image, channel, row, 0)];
        }
        return sum / TElement.FromCount(perGroup) / TElement.FromCount(parameters.Extent.Height)
            / TElement.FromCount(parameters.Extent.Width);
    }
}

/// <summary>The reciprocal deviation of every group from the sums of squares of its rows.</summary>
public readonly struct GroupDeviations<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        GroupMeans<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        (double)parameters.ChannelsPerGroup * parameters.Extent.Height;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        var variance = GroupMeans<TElement, TStorage, TAccumulator>.Mean(in parameters, in at);
        parameters.Statistics.Data[parameters.Statistics.Offset(at.Image, 2 * at.Channel + 1, 0, 0)] =
            TAccumulator.One / TAccumulator.Sqrt(variance + parameters.Epsilon);
    }
}

/// <summary>The normalised features, (x − mean)·reciprocal·weight + bias.</summary>
public readonly struct FeatureNormForward<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Extent.Batch,
        parameters.Extent.InputChannels,
        parameters.Extent.Height,
        parameters.Extent.Width);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) => 8;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at) =>
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(
            Normalised(in parameters, in at) * parameters.Weight[at.Channel] + parameters.Bias[at.Channel]);

    internal static TAccumulator Normalised(
        in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.ChannelsPerGroup;
        long statistics = parameters.Statistics.Offset(at.Image, 2 * group, at.Row, at.Column);
        var mean = parameters.Statistics.Data[statistics];
        var reciprocal = parameters.Statistics.Data[statistics + parameters.Statistics.ChannelStride];
        return (TElement.Load(parameters.Input.Data[at.In(in parameters.Input)]) - mean) * reciprocal;
    }
}

/// <summary>
/// Of every row of every channel, the sum of the gradient and that of its product with the normalised features.
/// </summary>
public readonly struct RowGradientSums<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        RowSums<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        8.0 * parameters.Extent.Width;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        var place = at;
        var sum = TAccumulator.Zero;
        var product = TAccumulator.Zero;
        for (int column = 0; column < parameters.Extent.Width; column++)
        {
            place.Column = column;
            var gradient = TElement.Load(parameters.Gradient.Data[place.In(in parameters.Gradient)]);
            sum += gradient;
            product += gradient
                * FeatureNormForward<TElement, TStorage, TAccumulator>.Normalised(in parameters, in place);
        }
        long result = parameters.RowSums.Offset(at.Image, 2 * at.Channel, at.Row, 0);
        parameters.RowSums.Data[result] = sum;
        parameters.RowSums.Data[result + parameters.RowSums.ChannelStride] = product;
    }
}

/// <summary>The gradients of factor and offset from the sums of the rows.</summary>
public readonly struct FeatureNormParameterGradients<TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) => new()
    {
        Batch = 1,
        Channels = parameters.Extent.InputChannels,
        Height = 1,
        Width = 1,
    };

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        2.0 * parameters.Extent.Batch * parameters.Extent.Height;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        var sum = TAccumulator.Zero;
        var product = TAccumulator.Zero;
        for (int image = 0; image < parameters.Extent.Batch; image++)
        {
            for (int row = 0; row < parameters.Extent.Height; row++)
            {
                long offset = parameters.RowSums.Offset(image, 2 * at.Channel, row, 0);
                sum += parameters.RowSums.Data[offset];
                product += parameters.RowSums.Data[offset + parameters.RowSums.ChannelStride];
            }
        }
        parameters.GradBias[at.Channel] = sum;
        parameters.GradWeight[at.Channel] = product;
    }
}

/// <summary>Of every group, the means that its gradient is freed of: of γ·g and of γ·g·x̂.</summary>
public readonly struct GroupGradientMeans<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        GroupMeans<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        4.0 * parameters.ChannelsPerGroup * parameters.Extent.Height;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int perGroup = parameters.ChannelsPerGroup;
        var sum = TAccumulator.Zero;
        var product = TAccumulator.Zero;
        for (int channel = at.Channel * perGroup; channel < (at.Channel + 1) * perGroup; channel++)
        {
            var weight = parameters.Weight[channel];
            for (int row = 0; row < parameters.Extent.Height; row++)
            {
                long offset = parameters.RowSums.Offset(at.Image, 2 * channel, row, 0);
                sum += weight * parameters.RowSums.Data[offset];
                product += weight * parameters.RowSums.Data[offset + parameters.RowSums.ChannelStride];
            }
        }
        var count = TElement.FromCount(perGroup) * TElement.FromCount(parameters.Extent.Height)
            * TElement.FromCount(parameters.Extent.Width);
        long result = parameters.GradientMeans.Offset(at.Image, 2 * at.Channel, 0, 0);
        parameters.GradientMeans.Data[result] = sum / count;
        parameters.GradientMeans.Data[result + parameters.GradientMeans.ChannelStride] = product / count;
    }
}

/// <summary>The gradient of the features of a group, r·(γ·g − mean(γ·g) − x̂·mean(γ·g·x̂)).</summary>
/// <remarks>Where all features of a group are the same, r is 1/√ε, some hundred times what rounding leaves of γ·g − mean.</remarks>
[RoundedProducts]
public readonly struct GroupNormBackward<TElement, TStorage, TAccumulator>
    : IMapProgram<FeatureNormParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in FeatureNormParameters<TStorage, TAccumulator> parameters) =>
        FeatureNormForward<TElement, TStorage, TAccumulator>.Extent(in parameters);

    /// <inheritdoc/>
    public static double OperationsPerValue(in FeatureNormParameters<TStorage, TAccumulator> parameters) => 16;

    /// <inheritdoc/>
    public static void Apply(in FeatureNormParameters<TStorage, TAccumulator> parameters, in MapPosition at)
    {
        int group = at.Channel / parameters.ChannelsPerGroup;
        long means = parameters.GradientMeans.Offset(at.Image, 2 * group, 0, 0);
        var reciprocal = parameters.Statistics.Data[
            parameters.Statistics.Offset(at.Image, 2 * group + 1, at.Row, at.Column)];
        var gradient = parameters.Weight[at.Channel]
            * TElement.Load(parameters.Gradient.Data[at.In(in parameters.Gradient)]);
        var normalised = FeatureNormForward<TElement, TStorage, TAccumulator>.Normalised(in parameters, in at);
        var value = reciprocal * (gradient - parameters.GradientMeans.Data[means]
            - normalised * parameters.GradientMeans.Data[means + parameters.GradientMeans.ChannelStride]);
        long result = at.In(in parameters.Result);
        if (parameters.Accumulate != 0)
            value += TElement.Load(parameters.Result.Data[result]);
        parameters.Result.Data[result] = TElement.Store(value);
    }
}
