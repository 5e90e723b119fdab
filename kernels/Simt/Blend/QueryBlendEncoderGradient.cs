using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradient of the encoder's part, g·gradient, [B, D, OH, OW]; without a gate it is the gradient itself.
/// </summary>
internal readonly struct QueryBlendEncoderGradient<TElement, TStorage, TReal>
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
        var gate = QueryBlend.Gate<TElement, TStorage, TReal>(in parameters, at.Image, row, column);
        var gradient = TElement.Load(parameters.GradQuery.Data[at.In(in parameters.GradQuery)]);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(gate * gradient);
    }
}
