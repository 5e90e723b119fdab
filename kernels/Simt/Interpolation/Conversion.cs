using System.Numerics;

namespace SapaGpu.Kernels.Maps;


/// <summary>The contract of the copy of a map into another element type or another order.</summary>
public struct ConversionParameters<TSource, TResult>
    where TSource : unmanaged
    where TResult : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels of the result.</summary>
    public int Channels;

    /// <summary>H, the rows of the result.</summary>
    public int Height;

    /// <summary>W, the columns of the result.</summary>
    public int Width;

    /// <summary>
    /// s, the ratio of a pixel shuffle: element (c, y, x) of the result is element (c·s² + (y mod s)·s + x mod s, y/s, x/s)
    /// of the source; 1 for a plain copy.
    /// </summary>
    public int Scale;

    /// <summary>Whether the shuffle goes the other way, from the fine to the coarse map.</summary>
    public int Inverse;

    /// <summary>Whether the values are added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;

    /// <summary>The source.</summary>
    public MapView<TSource> Source;

    /// <summary>The result, [B, C, H, W].</summary>
    public MapView<TResult> Result;
}

/// <summary>A copy that converts and, where asked for, shuffles pixels.</summary>
public readonly struct Conversion<TSourceElement, TSource, TResultElement, TResult, TAccumulator>
    : IMapProgram<ConversionParameters<TSource, TResult>>
    where TSourceElement : struct, IElement<TSource, TAccumulator>
    where TSource : unmanaged
    where TResultElement : struct, IElement<TResult, TAccumulator>
    where TResult : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in ConversionParameters<TSource, TResult> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    /// <inheritdoc/>
    public static double OperationsPerValue(in ConversionParameters<TSource, TResult> parameters) => 8;

    /// <inheritdoc/>
    public static void Apply(in ConversionParameters<TSource, TResult> parameters, in MapPosition at)
    {
        var from = at;
        int scale = parameters.Scale;
        if (scale > 1 && parameters.Inverse == 0)
        {
            from.Row = at.Row / scale;
            from.Column = at.Column / scale;
            from.Channel = (at.Channel * scale + at.Row - from.Row * scale) * scale + at.Column - from.Column * scale;
        }
        else if (scale > 1)
        {
            int place = at.Channel % (scale * scale);
            from.Channel = at.Channel / (scale * scale);
            from.Row = at.Row * scale + place / scale;
            from.Column = at.Column * scale + place % scale;
        }
        var value = TSourceElement.Load(parameters.Source.Data[from.In(in parameters.Source)]);
        long result = at.In(in parameters.Result);
        if (parameters.Accumulate != 0)
            value += TResultElement.Load(parameters.Result.Data[result]);
        parameters.Result.Data[result] = TResultElement.Store(value);
    }
}
