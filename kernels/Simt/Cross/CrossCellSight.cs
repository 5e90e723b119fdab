using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>The cells of a thread where cells are the rows of products, one of each component of its scores.</summary>
internal struct CrossCellSight<TProducts, TState, TReal>
    where TProducts : struct, ICrossProducts<TReal, TState>
    where TState : struct
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private Pack4<int> rows;
    private Pack4<int> columns;
    private Pack4<float> bias;
    private float scale;

    /// <summary>Reads them.</summary>
    public static CrossCellSight<TProducts, TState, TReal> Read(in CrossTileShared<TReal> shared)
    {
        var cells = TProducts.QueriesOfBlock();
        var bias = shared.Bias.Cast<float>();
        return new CrossCellSight<TProducts, TState, TReal>
        {
            rows = Read(shared.CellRows, cells),
            columns = Read(shared.CellColumns, cells),
            bias = new Pack4<float> { X = bias[cells.X], Y = bias[cells.Y], Z = bias[cells.Z], W = bias[cells.W] },
            scale = shared.Numbers.Cast<float>()[CrossTileShared<TReal>.Scale],
        };
    }

    /// <summary>Turns scores into weights.</summary>
    public readonly void Weigh(ref Pack4<float> scores, Pack4<int> queries, in CrossTileShared<TReal> shared)
    {
        scores.X = Weight(scores.X, bias.X, rows.X, columns.X, shared.Ranges[queries.X], shared.Columns[queries.X]);
        scores.Y = Weight(scores.Y, bias.Y, rows.Y, columns.Y, shared.Ranges[queries.Y], shared.Columns[queries.Y]);
        scores.Z = Weight(scores.Z, bias.Z, rows.Z, columns.Z, shared.Ranges[queries.Z], shared.Columns[queries.Z]);
        scores.W = Weight(scores.W, bias.W, rows.W, columns.W, shared.Ranges[queries.W], shared.Columns[queries.W]);
    }

    /// <summary>Turns weights into the gradients of their scores.</summary>
    public static void MultiplyDeviations(
        ref Pack4<float> weights,
        in Pack4<float> gradients,
        Pack4<int> queries,
        float share,
        float factor,
        in CrossTileShared<TReal> shared)
    {
        weights.X = CrossScores.Product(weights.X, (gradients.X * share - shared.Columns[queries.X].Z) * factor);
        weights.Y = CrossScores.Product(weights.Y, (gradients.Y * share - shared.Columns[queries.Y].Z) * factor);
        weights.Z = CrossScores.Product(weights.Z, (gradients.Z * share - shared.Columns[queries.Z].Z) * factor);
        weights.W = CrossScores.Product(weights.W, (gradients.W * share - shared.Columns[queries.W].Z) * factor);
    }

    private static Pack4<int> Read(ArrayView<int> table, Pack4<int> cells) =>
        new() { X = table[cells.X], Y = table[cells.Y], Z = table[cells.Z], W = table[cells.W] };

    private readonly float Weight(float score, float ownBias, int row, int column, Pack4<int> range, Pack4<float> query)
    {
        bool sees = row >= range.X & row < range.Y & column >= range.Z & column < range.W;
        float weight = TProducts.Exp(score * scale + ownBias - query.X) * query.Y;
        return sees ? weight : 0;
    }
}
