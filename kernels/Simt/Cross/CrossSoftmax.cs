using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The largest scores so far and the sums of the exponentials of what is left, of the queries of a thread: the softmax of
/// cells that come piece by piece.
/// </summary>
internal struct CrossSoftmax<TProducts, TState, TReal>
    where TProducts : struct, ICrossProducts<TReal, TState>
    where TState : struct
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private Pack4<float> largest;
    private Pack4<float> sum;

    /// <summary>Begins, with the taps outside the map that have score 0.</summary>
    public static CrossSoftmax<TProducts, TState, TReal> Begin(in CrossTileShared<TReal> shared)
    {
        var queries = TProducts.QueriesOfBlock();
        var outside = new Pack4<float>
        {
            X = shared.Outside[queries.X],
            Y = shared.Outside[queries.Y],
            Z = shared.Outside[queries.Z],
            W = shared.Outside[queries.W],
        };
        return new CrossSoftmax<TProducts, TState, TReal>
        {
            sum = outside,
            largest = new Pack4<float>
            {
                X = LargestOf(outside.X),
                Y = LargestOf(outside.Y),
                Z = LargestOf(outside.Z),
                W = LargestOf(outside.W),
            },
        };
    }

    /// <summary>Adds the scores of a piece and leaves their exponentials. Run by a whole group.</summary>
    public void Add(int count, ref CrossScores scores, in CrossTileShared<TReal> shared)
    {
        var before = largest;
        var own = TProducts.Largest(scores.Largest(count), in shared);
        largest.X = CrossScores.Larger(before.X, own.X);
        largest.Y = CrossScores.Larger(before.Y, own.Y);
        largest.Z = CrossScores.Larger(before.Z, own.Z);
        largest.W = CrossScores.Larger(before.W, own.W);
        var shift = Shift();
        var added = TProducts.Total(scores.Raise<TProducts, TState, TReal>(count, shift), in shared);
        sum.X = sum.X * TProducts.Exp(before.X - shift.X) + added.X;
        sum.Y = sum.Y * TProducts.Exp(before.Y - shift.Y) + added.Y;
        sum.Z = sum.Z * TProducts.Exp(before.Z - shift.Z) + added.Z;
        sum.W = sum.W * TProducts.Exp(before.W - shift.W) + added.W;
    }

    /// <summary>What is subtracted from the scores.</summary>
    public readonly Pack4<float> Shift() => new()
    {
        X = ShiftOf(largest.X),
        Y = ShiftOf(largest.Y),
        Z = ShiftOf(largest.Z),
        W = ShiftOf(largest.W),
    };

    /// <summary>What exponentials are multiplied by to be weights, of which there are some to be averaged.</summary>
    public readonly Pack4<float> Factor(int heads)
    {
        float share = 1f / heads;
        return new Pack4<float>
        {
            X = FactorOf(sum.X, share),
            Y = FactorOf(sum.Y, share),
            Z = FactorOf(sum.Z, share),
            W = FactorOf(sum.W, share),
        };
    }

    /// <summary>Saves the statistics of a head.</summary>
    public readonly void Save(in MapView<TReal> map, int head, in CrossTileShared<TReal> shared)
    {
        if (!TProducts.IsFirstOfQuery)
            return;
        var queries = TProducts.QueriesOfBlock();
        Save(in map, head, shared.Statistics[queries.X], largest.X, sum.X);
        if (queries.Y != queries.X)
            Save(in map, head, shared.Statistics[queries.Y], largest.Y, sum.Y);
        Save(in map, head, shared.Statistics[queries.Z], largest.Z, sum.Z);
        if (queries.W != queries.Z)
            Save(in map, head, shared.Statistics[queries.W], largest.W, sum.W);
    }

    /// <summary>Reads the statistics of a head.</summary>
    public static CrossSoftmax<TProducts, TState, TReal> Read(
        in MapView<TReal> map, int head, in CrossTileShared<TReal> shared)
    {
        var queries = TProducts.QueriesOfBlock();
        long toHead = 2 * head * map.ChannelStride;
        var read = default(CrossSoftmax<TProducts, TState, TReal>);
        Read(in map, toHead, shared.Statistics[queries.X], ref read.largest.X, ref read.sum.X);
        Read(in map, toHead, shared.Statistics[queries.Y], ref read.largest.Y, ref read.sum.Y);
        Read(in map, toHead, shared.Statistics[queries.Z], ref read.largest.Z, ref read.sum.Z);
        Read(in map, toHead, shared.Statistics[queries.W], ref read.largest.W, ref read.sum.W);
        return read;
    }

    /// <summary>Saves the means of the gradients of the weights of a head; what only second derivatives have is 0.</summary>
    public static void SaveMean(in MapView<TReal> map, int head, Pack4<float> mean, in CrossTileShared<TReal> shared)
    {
        if (!TProducts.IsFirstOfQuery)
            return;
        var queries = TProducts.QueriesOfBlock();
        SaveMean(in map, head, shared.MeanOffsets[queries.X], mean.X);
        if (queries.Y != queries.X)
            SaveMean(in map, head, shared.MeanOffsets[queries.Y], mean.Y);
        SaveMean(in map, head, shared.MeanOffsets[queries.Z], mean.Z);
        if (queries.W != queries.Z)
            SaveMean(in map, head, shared.MeanOffsets[queries.W], mean.W);
    }

    private static float LargestOf(float outside) => outside > 0 ? 0 : float.NegativeInfinity;

    // Where nothing is seen, nothing is left of any exponential.
    private static float ShiftOf(float largest) => largest == float.NegativeInfinity ? 0 : largest;

    private static float FactorOf(float sum, float share) => sum == 0 ? 0 : share / sum;

    private static void SaveMean(in MapView<TReal> map, int head, long offset, float mean)
    {
        if (offset < 0)
            return;
        var target = map.Data.Cast<float>();
        long at = offset + 3 * head * map.ChannelStride;
        target[at] = mean;
        target[at + map.ChannelStride] = 0;
        target[at + 2 * map.ChannelStride] = 0;
    }

    private static void Save(in MapView<TReal> map, int head, long offset, float largest, float sum)
    {
        if (offset < 0)
            return;
        long at = offset + 2 * head * map.ChannelStride;
        map.Data.Cast<float>()[at] = ShiftOf(largest);
        map.Data.Cast<float>()[at + map.ChannelStride] = sum;
    }

    private static void Read(in MapView<TReal> map, long toHead, long offset, ref float largest, ref float sum)
    {
        if (offset < 0)
            return;
        largest = map.Data.Cast<float>()[offset + toHead];
        sum = map.Data.Cast<float>()[offset + toHead + map.ChannelStride];
    }
}
