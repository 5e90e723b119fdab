using System.Numerics;

namespace SapaGpu.Kernels.Maps;


/// <summary>
/// The contract of a query that is made of features of the encoder and of the decoder: with the gate g of the cell that a
/// query belongs to, g·encoder + (1 − g)·decoder; without a gate, encoder + decoder.
/// </summary>
public struct QueryBlendParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>D, the channels.</summary>
    public int Channels;

    /// <summary>H rows of the decoder map, OH of the query.</summary>
    public AxisGrid Rows;

    /// <summary>W columns of the decoder map, OW of the query.</summary>
    public AxisGrid Columns;

    /// <summary>The encoder's part, [B, D, OH, OW].</summary>
    public MapView<TStorage> Encoder;

    /// <summary>The decoder's part, [B, D, H, W].</summary>
    public MapView<TStorage> Decoder;

    /// <summary>The gate before its sigmoid, [B, 1, H, W].</summary>
    public MapView<TStorage> Gate;

    /// <summary>The gradient of the query, [B, D, OH, OW].</summary>
    public MapView<TStorage> GradQuery;

    /// <summary>What is computed.</summary>
    public MapView<TStorage> Result;

    /// <summary>Whether there is a gate.</summary>
    public int HasGate;
}

/// <summary>What the programs of the blended query share.</summary>
internal static class QueryBlend
{
    public static TAccumulator Gate<TElement, TStorage, TAccumulator>(
        in QueryBlendParameters<TStorage> parameters, int image, int row, int column)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        var score = TElement.Load(parameters.Gate.Data[parameters.Gate.Offset(image, 0, row, column)]);
        return Sigmoid.Of<TElement, TStorage, TAccumulator>(score);
    }
}

/// <summary>The blended query, [B, D, OH, OW].</summary>
public readonly struct QueryBlendForward<TElement, TStorage, TAccumulator>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Queries, parameters.Columns.Queries);

    /// <inheritdoc/>
    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) => 32;

    /// <inheritdoc/>
    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        int row = parameters.Rows.CellOf(at.Row);
        int column = parameters.Columns.CellOf(at.Column);
        var encoder = TElement.Load(parameters.Encoder.Data[at.In(in parameters.Encoder)]);
        var decoder = TElement.Load(
            parameters.Decoder.Data[parameters.Decoder.Offset(at.Image, at.Channel, row, column)]);
        if (parameters.HasGate != 0)
        {
            var gate = QueryBlend.Gate<TElement, TStorage, TAccumulator>(in parameters, at.Image, row, column);
            encoder *= gate;
            decoder *= TAccumulator.One - gate;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(encoder + decoder);
    }
}

/// <summary>The gradient of the encoder's part, g·gradient, [B, D, OH, OW]; without a gate it is the gradient itself.</summary>
public readonly struct QueryBlendEncoderGradient<TElement, TStorage, TAccumulator>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Queries, parameters.Columns.Queries);

    /// <inheritdoc/>
    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) => 32;

    /// <inheritdoc/>
    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        int row = parameters.Rows.CellOf(at.Row);
        int column = parameters.Columns.CellOf(at.Column);
        var gate = QueryBlend.Gate<TElement, TStorage, TAccumulator>(in parameters, at.Image, row, column);
        var gradient = TElement.Load(parameters.GradQuery.Data[at.In(in parameters.GradQuery)]);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(gate * gradient);
    }
}

/// <summary>
/// The gradient of the decoder's part, (1 − g)·Σ gradient over the queries of the cell, [B, D, H, W].
/// </summary>
public readonly struct QueryBlendDecoderGradient<TElement, TStorage, TAccumulator>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Cells, parameters.Columns.Cells);

    /// <inheritdoc/>
    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) =>
        32.0 + 2.0 * parameters.Rows.MaximumCount * parameters.Columns.MaximumCount;

    /// <inheritdoc/>
    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        var sum = TAccumulator.Zero;
        int endRow = parameters.Rows.First(at.Row + 1);
        int firstColumn = parameters.Columns.First(at.Column);
        int endColumn = parameters.Columns.First(at.Column + 1);
        for (int row = parameters.Rows.First(at.Row); row < endRow; row++)
        {
            for (int column = firstColumn; column < endColumn; column++)
            {
                sum += TElement.Load(
                    parameters.GradQuery.Data[parameters.GradQuery.Offset(at.Image, at.Channel, row, column)]);
            }
        }
        if (parameters.HasGate != 0)
        {
            var gate = QueryBlend.Gate<TElement, TStorage, TAccumulator>(in parameters, at.Image, at.Row, at.Column);
            sum *= TAccumulator.One - gate;
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }
}

/// <summary>
/// The gradient of the gate before its sigmoid, g·(1 − g)·Σ gradient·(encoder − decoder) over channels and queries of the
/// cell, [B, 1, H, W].
/// </summary>
public readonly struct QueryBlendGateGradient<TElement, TStorage, TAccumulator>
    : IMapProgram<QueryBlendParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in QueryBlendParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, 1, parameters.Rows.Cells, parameters.Columns.Cells);

    /// <inheritdoc/>
    public static double OperationsPerValue(in QueryBlendParameters<TStorage> parameters) =>
        4.0 * parameters.Channels * parameters.Rows.MaximumCount * parameters.Columns.MaximumCount;

    /// <inheritdoc/>
    public static void Apply(in QueryBlendParameters<TStorage> parameters, in MapPosition at)
    {
        var sum = TAccumulator.Zero;
        int endRow = parameters.Rows.First(at.Row + 1);
        int firstColumn = parameters.Columns.First(at.Column);
        int endColumn = parameters.Columns.First(at.Column + 1);
        long decoder = parameters.Decoder.Offset(at.Image, 0, at.Row, at.Column);
        for (int row = parameters.Rows.First(at.Row); row < endRow; row++)
        {
            for (int column = firstColumn; column < endColumn; column++)
            {
                long encoder = parameters.Encoder.Offset(at.Image, 0, row, column);
                long gradient = parameters.GradQuery.Offset(at.Image, 0, row, column);
                for (int channel = 0; channel < parameters.Channels; channel++)
                {
                    var difference =
                        TElement.Load(parameters.Encoder.Data[encoder + channel * parameters.Encoder.ChannelStride])
                        - TElement.Load(parameters.Decoder.Data[decoder + channel * parameters.Decoder.ChannelStride]);
                    sum += difference * TElement.Load(
                        parameters.GradQuery.Data[gradient + channel * parameters.GradQuery.ChannelStride]);
                }
            }
        }
        var gate = QueryBlend.Gate<TElement, TStorage, TAccumulator>(in parameters, at.Image, at.Row, at.Column);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum * gate * (TAccumulator.One - gate));
    }
}
