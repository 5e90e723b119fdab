using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// What a thread has of the scores, or the weights, of 64 queries and up to 96 cells: twelve blocks, each of eight cells to the
/// threads that share it. A component of a block belongs to the same query in all of them.
/// </summary>
internal struct CrossScores
{
    public Pack4<float> Block0;
    public Pack4<float> Block1;
    public Pack4<float> Block2;
    public Pack4<float> Block3;
    public Pack4<float> Block4;
    public Pack4<float> Block5;
    public Pack4<float> Block6;
    public Pack4<float> Block7;
    public Pack4<float> Block8;
    public Pack4<float> Block9;
    public Pack4<float> Block10;
    public Pack4<float> Block11;

    /// <summary>Multiplies by the scale and adds what the cells have; −∞ for those that are not seen.</summary>
    public void Complete<TProducts, TState, TReal>(int count, in CrossTileShared<TReal> shared)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        float scale = shared.Numbers.Cast<float>()[CrossTileShared<TReal>.Scale];
        var bias = shared.Bias.Cast<float>();
        Complete(ref Block0, TProducts.CellsOfBlock(0), scale, bias);
        Complete(ref Block1, TProducts.CellsOfBlock(1), scale, bias);
        Complete(ref Block2, TProducts.CellsOfBlock(2), scale, bias);
        Complete(ref Block3, TProducts.CellsOfBlock(3), scale, bias);
        if (count > 1 * CrossTile.CellBlock)
        {
            Complete(ref Block4, TProducts.CellsOfBlock(4), scale, bias);
            Complete(ref Block5, TProducts.CellsOfBlock(5), scale, bias);
            Complete(ref Block6, TProducts.CellsOfBlock(6), scale, bias);
            Complete(ref Block7, TProducts.CellsOfBlock(7), scale, bias);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            Complete(ref Block8, TProducts.CellsOfBlock(8), scale, bias);
            Complete(ref Block9, TProducts.CellsOfBlock(9), scale, bias);
            Complete(ref Block10, TProducts.CellsOfBlock(10), scale, bias);
            Complete(ref Block11, TProducts.CellsOfBlock(11), scale, bias);
        }
    }

    /// <summary>Gives what a query does not see of the cells that others do the score −∞.</summary>
    public void Hide<TProducts, TState, TReal>(int count, in CrossTileShared<TReal> shared)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var sight = CrossSight.Read<TProducts, TState, TReal>(in shared);
        sight.Hide(ref Block0, TProducts.CellsOfBlock(0), in shared);
        sight.Hide(ref Block1, TProducts.CellsOfBlock(1), in shared);
        sight.Hide(ref Block2, TProducts.CellsOfBlock(2), in shared);
        sight.Hide(ref Block3, TProducts.CellsOfBlock(3), in shared);
        if (count > 1 * CrossTile.CellBlock)
        {
            sight.Hide(ref Block4, TProducts.CellsOfBlock(4), in shared);
            sight.Hide(ref Block5, TProducts.CellsOfBlock(5), in shared);
            sight.Hide(ref Block6, TProducts.CellsOfBlock(6), in shared);
            sight.Hide(ref Block7, TProducts.CellsOfBlock(7), in shared);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            sight.Hide(ref Block8, TProducts.CellsOfBlock(8), in shared);
            sight.Hide(ref Block9, TProducts.CellsOfBlock(9), in shared);
            sight.Hide(ref Block10, TProducts.CellsOfBlock(10), in shared);
            sight.Hide(ref Block11, TProducts.CellsOfBlock(11), in shared);
        }
    }

    /// <summary>The largest of each component.</summary>
    public readonly Pack4<float> Largest(int count)
    {
        var largest = Block0;
        Raise(ref largest, in Block0);
        Raise(ref largest, in Block1);
        Raise(ref largest, in Block2);
        Raise(ref largest, in Block3);
        if (count > 1 * CrossTile.CellBlock)
        {
            Raise(ref largest, in Block4);
            Raise(ref largest, in Block5);
            Raise(ref largest, in Block6);
            Raise(ref largest, in Block7);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            Raise(ref largest, in Block8);
            Raise(ref largest, in Block9);
            Raise(ref largest, in Block10);
            Raise(ref largest, in Block11);
        }
        return largest;
    }

    /// <summary>Turns scores into exponentials.</summary>
    /// <returns>The sum of each component.</returns>
    public Pack4<float> Raise<TProducts, TState, TReal>(int count, Pack4<float> shift)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var sum = default(Pack4<float>);
        Exponentiate<TProducts, TState, TReal>(ref Block0, in shift, ref sum);
        Exponentiate<TProducts, TState, TReal>(ref Block1, in shift, ref sum);
        Exponentiate<TProducts, TState, TReal>(ref Block2, in shift, ref sum);
        Exponentiate<TProducts, TState, TReal>(ref Block3, in shift, ref sum);
        if (count > 1 * CrossTile.CellBlock)
        {
            Exponentiate<TProducts, TState, TReal>(ref Block4, in shift, ref sum);
            Exponentiate<TProducts, TState, TReal>(ref Block5, in shift, ref sum);
            Exponentiate<TProducts, TState, TReal>(ref Block6, in shift, ref sum);
            Exponentiate<TProducts, TState, TReal>(ref Block7, in shift, ref sum);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            Exponentiate<TProducts, TState, TReal>(ref Block8, in shift, ref sum);
            Exponentiate<TProducts, TState, TReal>(ref Block9, in shift, ref sum);
            Exponentiate<TProducts, TState, TReal>(ref Block10, in shift, ref sum);
            Exponentiate<TProducts, TState, TReal>(ref Block11, in shift, ref sum);
        }
        return sum;
    }

    /// <summary>Multiplies each component by a factor.</summary>
    public void Multiply(int count, Pack4<float> factor)
    {
        Multiply(ref Block0, in factor);
        Multiply(ref Block1, in factor);
        Multiply(ref Block2, in factor);
        Multiply(ref Block3, in factor);
        if (count > 1 * CrossTile.CellBlock)
        {
            Multiply(ref Block4, in factor);
            Multiply(ref Block5, in factor);
            Multiply(ref Block6, in factor);
            Multiply(ref Block7, in factor);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            Multiply(ref Block8, in factor);
            Multiply(ref Block9, in factor);
            Multiply(ref Block10, in factor);
            Multiply(ref Block11, in factor);
        }
    }

    /// <summary>Adds others.</summary>
    public void Add(int count, in CrossScores others)
    {
        Add(ref Block0, in others.Block0);
        Add(ref Block1, in others.Block1);
        Add(ref Block2, in others.Block2);
        Add(ref Block3, in others.Block3);
        if (count > 1 * CrossTile.CellBlock)
        {
            Add(ref Block4, in others.Block4);
            Add(ref Block5, in others.Block5);
            Add(ref Block6, in others.Block6);
            Add(ref Block7, in others.Block7);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            Add(ref Block8, in others.Block8);
            Add(ref Block9, in others.Block9);
            Add(ref Block10, in others.Block10);
            Add(ref Block11, in others.Block11);
        }
    }

    /// <summary>The sum of each component, times what others have there; of weights that are 0 they may have anything.</summary>
    public readonly Pack4<float> SumOfProducts(int count, in CrossScores others)
    {
        var sum = default(Pack4<float>);
        AddProducts(ref sum, in Block0, in others.Block0);
        AddProducts(ref sum, in Block1, in others.Block1);
        AddProducts(ref sum, in Block2, in others.Block2);
        AddProducts(ref sum, in Block3, in others.Block3);
        if (count > 1 * CrossTile.CellBlock)
        {
            AddProducts(ref sum, in Block4, in others.Block4);
            AddProducts(ref sum, in Block5, in others.Block5);
            AddProducts(ref sum, in Block6, in others.Block6);
            AddProducts(ref sum, in Block7, in others.Block7);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            AddProducts(ref sum, in Block8, in others.Block8);
            AddProducts(ref sum, in Block9, in others.Block9);
            AddProducts(ref sum, in Block10, in others.Block10);
            AddProducts(ref sum, in Block11, in others.Block11);
        }
        return sum;
    }

    /// <summary>Turns weights into the gradients of their scores: times the gradients of the weights, less their mean.</summary>
    public void MultiplyDeviations(int count, in CrossScores gradients, Pack4<float> mean, float factor)
    {
        MultiplyDeviations(ref Block0, in gradients.Block0, in mean, factor);
        MultiplyDeviations(ref Block1, in gradients.Block1, in mean, factor);
        MultiplyDeviations(ref Block2, in gradients.Block2, in mean, factor);
        MultiplyDeviations(ref Block3, in gradients.Block3, in mean, factor);
        if (count > 1 * CrossTile.CellBlock)
        {
            MultiplyDeviations(ref Block4, in gradients.Block4, in mean, factor);
            MultiplyDeviations(ref Block5, in gradients.Block5, in mean, factor);
            MultiplyDeviations(ref Block6, in gradients.Block6, in mean, factor);
            MultiplyDeviations(ref Block7, in gradients.Block7, in mean, factor);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            MultiplyDeviations(ref Block8, in gradients.Block8, in mean, factor);
            MultiplyDeviations(ref Block9, in gradients.Block9, in mean, factor);
            MultiplyDeviations(ref Block10, in gradients.Block10, in mean, factor);
            MultiplyDeviations(ref Block11, in gradients.Block11, in mean, factor);
        }
    }

    /// <summary>Turns scores of cells and queries into weights; 0 for what is not seen.</summary>
    public void Weigh<TProducts, TState, TReal>(int count, in CrossTileShared<TReal> shared)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var cells = CrossCellSight<TProducts, TState, TReal>.Read(in shared);
        cells.Weigh(ref Block0, TProducts.CellsOfBlock(0), in shared);
        cells.Weigh(ref Block1, TProducts.CellsOfBlock(1), in shared);
        cells.Weigh(ref Block2, TProducts.CellsOfBlock(2), in shared);
        cells.Weigh(ref Block3, TProducts.CellsOfBlock(3), in shared);
        if (count > 1 * CrossTile.CellBlock)
        {
            cells.Weigh(ref Block4, TProducts.CellsOfBlock(4), in shared);
            cells.Weigh(ref Block5, TProducts.CellsOfBlock(5), in shared);
            cells.Weigh(ref Block6, TProducts.CellsOfBlock(6), in shared);
            cells.Weigh(ref Block7, TProducts.CellsOfBlock(7), in shared);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            cells.Weigh(ref Block8, TProducts.CellsOfBlock(8), in shared);
            cells.Weigh(ref Block9, TProducts.CellsOfBlock(9), in shared);
            cells.Weigh(ref Block10, TProducts.CellsOfBlock(10), in shared);
            cells.Weigh(ref Block11, TProducts.CellsOfBlock(11), in shared);
        }
    }

    /// <summary>As <see cref="MultiplyDeviations(int, in CrossScores, Pack4{float}, float)"/>, of cells and queries.</summary>
    public void MultiplyDeviations<TProducts, TState, TReal>(
        int count, in CrossScores gradients, float share, float factor, in CrossTileShared<TReal> shared)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block0, in gradients.Block0, TProducts.CellsOfBlock(0), share, factor, in shared);
        CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block1, in gradients.Block1, TProducts.CellsOfBlock(1), share, factor, in shared);
        CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block2, in gradients.Block2, TProducts.CellsOfBlock(2), share, factor, in shared);
        CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block3, in gradients.Block3, TProducts.CellsOfBlock(3), share, factor, in shared);
        if (count > 1 * CrossTile.CellBlock)
        {
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block4, in gradients.Block4, TProducts.CellsOfBlock(4), share, factor, in shared);
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block5, in gradients.Block5, TProducts.CellsOfBlock(5), share, factor, in shared);
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block6, in gradients.Block6, TProducts.CellsOfBlock(6), share, factor, in shared);
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block7, in gradients.Block7, TProducts.CellsOfBlock(7), share, factor, in shared);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block8, in gradients.Block8, TProducts.CellsOfBlock(8), share, factor, in shared);
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block9, in gradients.Block9, TProducts.CellsOfBlock(9), share, factor, in shared);
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block10, in gradients.Block10, TProducts.CellsOfBlock(10), share, factor, in shared);
            CrossCellSight<TProducts, TState, TReal>.MultiplyDeviations(ref Block11, in gradients.Block11, TProducts.CellsOfBlock(11), share, factor, in shared);
        }
    }

    /// <summary>The larger of two; either where one is no number.</summary>
    public static float Larger(float one, float other) => MathF.Max(one, other);

    private static void Complete(ref Pack4<float> scores, Pack4<int> cells, float scale, ArrayView<float> bias)
    {
        scores.X = Complete(scores.X, scale, bias[cells.X]);
        scores.Y = Complete(scores.Y, scale, bias[cells.Y]);
        scores.Z = Complete(scores.Z, scale, bias[cells.Z]);
        scores.W = Complete(scores.W, scale, bias[cells.W]);
    }

    private static float Complete(float score, float scale, float bias) =>
        bias == float.NegativeInfinity ? bias : score * scale + bias;

    private static void Raise(ref Pack4<float> largest, in Pack4<float> scores)
    {
        largest.X = Larger(largest.X, scores.X);
        largest.Y = Larger(largest.Y, scores.Y);
        largest.Z = Larger(largest.Z, scores.Z);
        largest.W = Larger(largest.W, scores.W);
    }

    private static void Exponentiate<TProducts, TState, TReal>(
        ref Pack4<float> scores, in Pack4<float> shift, ref Pack4<float> sum)
        where TProducts : struct, ICrossProducts<TReal, TState>
        where TState : struct
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        scores.X = TProducts.Exp(scores.X - shift.X);
        scores.Y = TProducts.Exp(scores.Y - shift.Y);
        scores.Z = TProducts.Exp(scores.Z - shift.Z);
        scores.W = TProducts.Exp(scores.W - shift.W);
        sum.X += scores.X;
        sum.Y += scores.Y;
        sum.Z += scores.Z;
        sum.W += scores.W;
    }

    private static void Multiply(ref Pack4<float> values, in Pack4<float> factor)
    {
        values.X *= factor.X;
        values.Y *= factor.Y;
        values.Z *= factor.Z;
        values.W *= factor.W;
    }

    private static void Add(ref Pack4<float> values, in Pack4<float> others)
    {
        values.X += others.X;
        values.Y += others.Y;
        values.Z += others.Z;
        values.W += others.W;
    }

    private static void AddProducts(ref Pack4<float> sum, in Pack4<float> weights, in Pack4<float> others)
    {
        sum.X += Product(weights.X, others.X);
        sum.Y += Product(weights.Y, others.Y);
        sum.Z += Product(weights.Z, others.Z);
        sum.W += Product(weights.W, others.W);
    }

    private static void MultiplyDeviations(
        ref Pack4<float> weights, in Pack4<float> gradients, in Pack4<float> mean, float factor)
    {
        weights.X = Product(weights.X, (gradients.X - mean.X) * factor);
        weights.Y = Product(weights.Y, (gradients.Y - mean.Y) * factor);
        weights.Z = Product(weights.Z, (gradients.Z - mean.Z) * factor);
        weights.W = Product(weights.W, (gradients.W - mean.W) * factor);
    }

    /// <summary>A product that is 0 where the weight is, whatever the other.</summary>
    public static float Product(float weight, float other) => weight == 0 ? 0 : weight * other;
}
