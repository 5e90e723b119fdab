using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The blended query, [B, D, OH, OW].</summary>
internal readonly struct QueryBlendForward<TElement, TStorage, TReal>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Queries, parameters.Columns.Queries);

    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) => 32;

    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        int row = parameters.Rows.CellOf(at.Row);
        int column = parameters.Columns.CellOf(at.Column);
        var encoder = TElement.Load(parameters.Encoder.Data[at.In(in parameters.Encoder)]);
        var decoder = TElement.Load(
            parameters.Decoder.Data[parameters.Decoder.Offset(at.Image, at.Channel, row, column)]);
        if (parameters.HasGate != 0)
        {
            var gate = QueryBlend.Gate<TElement, TStorage, TReal>(in parameters, at.Image, row, column);
            encoder *= gate;
            decoder *= TReal.One - gate;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(encoder + decoder);
    }
}
