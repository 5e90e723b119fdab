using System.Numerics;

namespace SapaGpu.Kernels.Maps;


/// <summary>
/// The contract of sampling a decoder map at points that move with the query: point p of group g of query (y, x) lies at
/// the cell of the query plus an offset of its own, in cells.
/// </summary>
public struct PointSamplingParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>G, the groups that the channels are divided into.</summary>
    public int Groups;

    /// <summary>P, the points of a group.</summary>
    public int Points;

    /// <summary>The channels of a group.</summary>
    public int GroupChannels;

    /// <summary>H rows of the map, OH rows of the queries.</summary>
    public AxisGrid Rows;

    /// <summary>W columns of the map, OW columns of the queries.</summary>
    public AxisGrid Columns;

    /// <summary>Offsets, [B, G·P·2, OH, OW], across before down.</summary>
    public MapView<TStorage> Offsets;

    /// <summary>What is sampled, [B, G·C, H, W].</summary>
    public MapView<TStorage> Map;

    /// <summary>Features of the queries, [B, G·C, OH, OW].</summary>
    public MapView<TStorage> Features;

    /// <summary>A value for every point, [B, G·P, OH, OW].</summary>
    public MapView<TStorage> Weights;

    /// <summary>What is computed.</summary>
    public MapView<TStorage> Result;

    /// <summary>The similarities, [B, G·P, OH, OW], where they are computed along with <see cref="Result"/>.</summary>
    public MapView<TStorage> Scores;

    /// <summary>The channels of a group that a thread of the CPU collects the gradient of at once.</summary>
    public int BlockChannels;

    /// <summary>Whether it is added to what <see cref="Result"/> holds.</summary>
    public int Accumulate;

    /// <summary>All queries, as pixels.</summary>
    public readonly PointwiseExtent Extent() => new()
    {
        Batch = Batch,
        Height = Rows.Queries,
        Width = Columns.Queries,
    };

    /// <summary>One value for every point of every query.</summary>
    public readonly MapExtent PerPoint() => MapExtent.Of(
        in Result, Batch, Groups * Points, Rows.Queries, Columns.Queries);
}

/// <summary>
/// Where a point lies between four cells: (Row, Column) is the first of them, and Down and Across the way to the others.
/// </summary>
public struct SamplePoint<TAccumulator>
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <summary>The row of the first cell, from −1.</summary>
    public int Row;

    /// <summary>The column of the first cell, from −1.</summary>
    public int Column;

    /// <summary>The way to the next row, from 0 to 1.</summary>
    public TAccumulator Down;

    /// <summary>The way to the next column, from 0 to 1.</summary>
    public TAccumulator Across;

    /// <summary>Whether the point contributes: it lies less than one cell outside the map.</summary>
    public bool Contributes;

    /// <summary>Finds a point of a query; <paramref name="point"/> counts the points of all groups.</summary>
    public static SamplePoint<TAccumulator> Locate<TElement, TStorage>(
        in MapView<TStorage> offsets,
        in AxisGrid rows,
        in AxisGrid columns,
        int image,
        int point,
        int queryRow,
        int queryColumn)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
    {
        long offset = offsets.Offset(image, 2 * point, queryRow, queryColumn);
        var row = TElement.FromCount(rows.CellOf(queryRow))
            + TElement.Load(offsets.Data[offset + offsets.ChannelStride]);
        var column = TElement.FromCount(columns.CellOf(queryColumn))
            + TElement.Load(offsets.Data[offset]);
        var sample = default(SamplePoint<TAccumulator>);
        sample.Contributes = row > -TAccumulator.One && column > -TAccumulator.One
            && row < TElement.FromCount(rows.Cells) && column < TElement.FromCount(columns.Cells);
        if (sample.Contributes)
        {
            sample.Row = TElement.Floor(row);
            sample.Column = TElement.Floor(column);
            sample.Down = row - TElement.FromCount(sample.Row);
            sample.Across = column - TElement.FromCount(sample.Column);
        }
        return sample;
    }
}

/// <summary>The four cells around a point, as places in a map; a cell outside the map counts as 0.</summary>
public struct SampleCorners
{
    /// <summary>The place of the upper left cell, or of any cell if that lies outside.</summary>
    public long Place;

    /// <summary>The step to the next row.</summary>
    public long RowStep;

    /// <summary>The step to the next column.</summary>
    public long ColumnStep;

    /// <summary>1 where the upper row lies inside the map, else 0.</summary>
    public int Upper;

    /// <summary>1 where the lower row lies inside the map, else 0.</summary>
    public int Lower;

    /// <summary>1 where the left column lies inside the map, else 0.</summary>
    public int Left;

    /// <summary>1 where the right column lies inside the map, else 0.</summary>
    public int Right;

    /// <summary>Finds the cells around a point that contributes.</summary>
    public static SampleCorners Locate<TStorage, TAccumulator>(
        in MapView<TStorage> map,
        in AxisGrid rows,
        in AxisGrid columns,
        in SamplePoint<TAccumulator> point,
        int image,
        int channel)
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => new()
        {
            Place = map.Offset(image, channel, point.Row, point.Column),
            RowStep = map.RowStride,
            ColumnStep = map.ColumnStride,
            Upper = point.Row >= 0 ? 1 : 0,
            Lower = point.Row + 1 < rows.Cells ? 1 : 0,
            Left = point.Column >= 0 ? 1 : 0,
            Right = point.Column + 1 < columns.Cells ? 1 : 0,
        };

    /// <summary>The four values, upper left, upper right, lower left, lower right.</summary>
    public readonly Pack4<TAccumulator> Load<TElement, TStorage, TAccumulator>(in MapView<TStorage> map)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        var values = default(Pack4<TAccumulator>);
        if (Upper + Left == 2)
            values.X = TElement.Load(map.Data[Place]);
        if (Upper + Right == 2)
            values.Y = TElement.Load(map.Data[Place + ColumnStep]);
        if (Lower + Left == 2)
            values.Z = TElement.Load(map.Data[Place + RowStep]);
        if (Lower + Right == 2)
            values.W = TElement.Load(map.Data[Place + RowStep + ColumnStep]);
        return values;
    }
}

/// <summary>The similarity of a query and of the map at its points: Σ over the channels of the group.</summary>
public readonly struct PointSimilarity<TElement, TStorage, TAccumulator>
    : IMapProgram<PointSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointSamplingParameters<TStorage> parameters) => parameters.PerPoint();

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointSamplingParameters<TStorage> parameters) =>
        32.0 + 10.0 * parameters.GroupChannels;

    /// <inheritdoc/>
    public static void Apply(in PointSamplingParameters<TStorage> parameters, in MapPosition at)
    {
        var point = SamplePoint<TAccumulator>.Locate<TElement, TStorage>(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, at.Image, at.Channel, at.Row, at.Column);
        var sum = CornerSums.Of<TElement, TStorage, TAccumulator>(in parameters, in at, in point);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(PointBlend.Of(in sum, in point));
    }
}

/// <summary>The sum of the map at the points of a query, each with its weight.</summary>
public readonly struct PointReassembly<TElement, TStorage, TAccumulator>
    : IMapProgram<PointSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointSamplingParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result,
        parameters.Batch,
        parameters.Groups * parameters.GroupChannels,
        parameters.Rows.Queries,
        parameters.Columns.Queries);

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointSamplingParameters<TStorage> parameters) =>
        40.0 * parameters.Points;

    /// <inheritdoc/>
    public static void Apply(in PointSamplingParameters<TStorage> parameters, in MapPosition at)
    {
        int first = at.Channel / parameters.GroupChannels * parameters.Points;
        var sum = TAccumulator.Zero;
        for (int i = first; i < first + parameters.Points; i++)
        {
            var point = SamplePoint<TAccumulator>.Locate<TElement, TStorage>(
                in parameters.Offsets, in parameters.Rows, in parameters.Columns, at.Image, i, at.Row, at.Column);
            if (!point.Contributes)
                continue;
            var corners = SampleCorners.Locate(
                in parameters.Map, in parameters.Rows, in parameters.Columns, in point, at.Image, at.Channel);
            var values = corners.Load<TElement, TStorage, TAccumulator>(in parameters.Map);
            long weight = parameters.Weights.Offset(at.Image, i, at.Row, at.Column);
            sum += TElement.Load(parameters.Weights.Data[weight]) * PointBlend.Of(in values, in point);
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }
}

/// <summary>
/// The gradient of the offsets, [B, G·P·2, OH, OW]: the weight of a point times the derivative, along either axis, of the
/// similarity of the query's features and the map at the point. At a whole number it is the derivative towards larger
/// coordinates.
/// </summary>
public readonly struct PointOffsetGradient<TElement, TStorage, TAccumulator>
    : IMapProgram<PointSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static MapExtent Extent(in PointSamplingParameters<TStorage> parameters) => parameters.PerPoint();

    /// <inheritdoc/>
    public static double OperationsPerValue(in PointSamplingParameters<TStorage> parameters) =>
        32.0 + 10.0 * parameters.GroupChannels;

    /// <inheritdoc/>
    public static void Apply(in PointSamplingParameters<TStorage> parameters, in MapPosition at)
    {
        var point = SamplePoint<TAccumulator>.Locate<TElement, TStorage>(
            in parameters.Offsets, in parameters.Rows, in parameters.Columns, at.Image, at.Channel, at.Row, at.Column);
        var sum = CornerSums.Of<TElement, TStorage, TAccumulator>(in parameters, in at, in point);
        var weight = TElement.Load(parameters.Weights.Data[at.In(in parameters.Weights)]);
        var across = weight * ((TAccumulator.One - point.Down) * (sum.Y - sum.X) + point.Down * (sum.W - sum.Z));
        var down = weight * ((TAccumulator.One - point.Across) * (sum.Z - sum.X) + point.Across * (sum.W - sum.Y));
        long result = parameters.Result.Offset(at.Image, 2 * at.Channel, at.Row, at.Column);
        if (parameters.Accumulate != 0)
        {
            across += TElement.Load(parameters.Result.Data[result]);
            down += TElement.Load(parameters.Result.Data[result + parameters.Result.ChannelStride]);
        }
        parameters.Result.Data[result] = TElement.Store(across);
        parameters.Result.Data[result + parameters.Result.ChannelStride] = TElement.Store(down);
    }
}

/// <summary>Bilinear interpolation between the four cells around a point.</summary>
internal static class PointBlend
{
    public static TAccumulator Of<TAccumulator>(
        in Pack4<TAccumulator> values, in SamplePoint<TAccumulator> point)
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        var left = TAccumulator.One - point.Across;
        return (TAccumulator.One - point.Down) * (left * values.X + point.Across * values.Y)
            + point.Down * (left * values.Z + point.Across * values.W);
    }
}

/// <summary>The similarities of a query's features and the four cells around one of its points.</summary>
internal static class CornerSums
{
    public static Pack4<TAccumulator> Of<TElement, TStorage, TAccumulator>(
        in PointSamplingParameters<TStorage> parameters, in MapPosition at, in SamplePoint<TAccumulator> point)
        where TElement : struct, IElement<TStorage, TAccumulator>
        where TStorage : unmanaged
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    {
        var sum = default(Pack4<TAccumulator>);
        if (!point.Contributes)
            return sum;
        int channel = at.Channel / parameters.Points * parameters.GroupChannels;
        var corners = SampleCorners.Locate(
            in parameters.Map, in parameters.Rows, in parameters.Columns, in point, at.Image, channel);
        long features = parameters.Features.Offset(at.Image, channel, at.Row, at.Column);
        for (int left = parameters.GroupChannels; left > 0; left--)
        {
            var values = corners.Load<TElement, TStorage, TAccumulator>(in parameters.Map);
            sum = Pack4.MultiplyAdd(TElement.Load(parameters.Features.Data[features]), values, sum);
            corners.Place += parameters.Map.ChannelStride;
            features += parameters.Features.ChannelStride;
        }
        return sum;
    }
}
