using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>A copy that converts and, where asked for, shuffles pixels.</summary>
internal readonly struct Conversion<TSourceElement, TSource, TResultElement, TResult, TReal>
    : IMapProgram<ConversionParameters<TSource, TResult>>
    where TSourceElement : struct, IElement<TSource, TReal>
    where TSource : unmanaged
    where TResultElement : struct, IElement<TResult, TReal>
    where TResult : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in ConversionParameters<TSource, TResult> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    public static double OperationsPerValue(in ConversionParameters<TSource, TResult> parameters) => 8;

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
