using ILGPU;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// What a lane keeps of sixteen queries: the weights of up to 96 cells as first factors, two blocks of eight to a factor, and the
/// sums of twice 32 channels.
/// </summary>
internal struct CrossMatrixState<TMatrix>
    where TMatrix : struct, IMatrixFormat
{
    /// <summary>The weights from a query to the next, where sums are computed one by one.</summary>
    public const int WeightPitch = CrossTile.Cells + 2;

    // In packs of 16 bytes.
    private const int WeightPackLength = CrossTile.Queries * WeightPitch / MatrixRound.Channels;

    private Pack4<uint> factor0;
    private Pack4<uint> factor1;
    private Pack4<uint> factor2;
    private Pack4<uint> factor3;
    private Pack4<uint> factor4;
    private Pack4<uint> factor5;
    private MatrixProduct<TMatrix> low;
    private MatrixProduct<TMatrix> high;

    /// <summary>Gets the packs of shared memory that weights need there.</summary>
    public static int WeightLength => WeightPackLength;

    private static int Lane => Group.IdxX & (CellPair.WarpSize - 1);

    /// <summary>Rounds weights to the format.</summary>
    public void Round(in CrossScores weights)
    {
        factor0 = Round(in weights.Block0, in weights.Block1);
        factor1 = Round(in weights.Block2, in weights.Block3);
        factor2 = Round(in weights.Block4, in weights.Block5);
        factor3 = Round(in weights.Block6, in weights.Block7);
        factor4 = Round(in weights.Block8, in weights.Block9);
        factor5 = Round(in weights.Block10, in weights.Block11);
    }

    /// <summary>Adds the products of the weights and 64 channels of the cells. All lanes of a warp call together.</summary>
    /// <param name="isFirst">Whether the sums begin with these.</param>
    /// <param name="count">The cells, in whole blocks.</param>
    /// <param name="hasHigh">Whether there are more than 32 channels.</param>
    /// <param name="values">Where the lane's row of the cells lies, see <see cref="MatrixProduct{TMatrix}.Add"/>.</param>
    /// <param name="twoBlockBytes">From there to the row of the next sixteen cells.</param>
    /// <param name="pitch">The packs from a cell to the next.</param>
    /// <param name="staged">The cells.</param>
    /// <param name="weights">Memory for the weights of the warp.</param>
    public void Add(
        bool isFirst,
        int count,
        bool hasHigh,
        uint values,
        uint twoBlockBytes,
        int pitch,
        ArrayView<Pack4<uint>> staged,
        ArrayView<ushort> weights)
    {
        const uint ProductBytes = 2 * MatrixProduct<TMatrix>.Channels;
        var lowSums = default(MatrixProduct<TMatrix>);
        var highSums = default(MatrixProduct<TMatrix>);
        Multiply(ref lowSums, count, values, twoBlockBytes);
        if (hasHigh)
            Multiply(ref highSums, count, values + ProductBytes, twoBlockBytes);
        bool lowIsFinite = lowSums.AreFinite();
        bool highIsFinite = highSums.AreFinite();
        if (MatrixMemory.IsAny(!lowIsFinite | !highIsFinite))
        {
            Show(weights);
            Warp.Barrier();
        }
        if (!lowIsFinite)
            SetExactly(ref lowSums, count, weights, staged.Cast<ushort>(), pitch);
        if (!highIsFinite)
            SetExactly(ref highSums, count, weights, staged.Cast<ushort>().SubView((int)ProductBytes / 2), pitch);
        if (isFirst)
        {
            low = lowSums;
            high = highSums;
        }
        else
        {
            low.Join(in lowSums);
            high.Join(in highSums);
        }
    }

    /// <summary>Writes the sums; see <see cref="MatrixProduct{TMatrix}.Write"/>.</summary>
    public readonly void Write<TStorage, TAccess>(in MatrixRows<TStorage, TAccess> rows, int channel, int remaining)
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        low.Write(in rows, channel, remaining, byPairs: false);
        if (remaining > MatrixProduct<TMatrix>.Channels)
        {
            high.Write(
                in rows,
                channel + MatrixProduct<TMatrix>.Channels,
                remaining - MatrixProduct<TMatrix>.Channels,
                byPairs: false);
        }
    }

    /// <summary>Writes the sums to a map of single precision; see <see cref="MatrixProduct{TMatrix}.WriteWide"/>.</summary>
    public readonly void WriteWide<TReal, TAccess>(in TileMap<TReal> map, int row, int channel, int remaining)
        where TReal : unmanaged
        where TAccess : struct, IChannelAccess
    {
        low.WriteWide<TReal, TAccess>(in map, row, channel, remaining);
        high.WriteWide<TReal, TAccess>(
            in map, row, channel + MatrixProduct<TMatrix>.Channels, remaining - MatrixProduct<TMatrix>.Channels);
    }

    private readonly void Multiply(ref MatrixProduct<TMatrix> sums, int count, uint values, uint twoBlockBytes)
    {
        sums.Add(in factor0, values + 0 * twoBlockBytes);
        sums.Add(in factor1, values + 1 * twoBlockBytes);
        if (count > 1 * CrossTile.CellBlock)
        {
            sums.Add(in factor2, values + 2 * twoBlockBytes);
            sums.Add(in factor3, values + 3 * twoBlockBytes);
        }
        if (count > 2 * CrossTile.CellBlock)
        {
            sums.Add(in factor4, values + 4 * twoBlockBytes);
            sums.Add(in factor5, values + 5 * twoBlockBytes);
        }
    }

    // Writes the lane's weights for the others to see.
    private readonly void Show(ArrayView<ushort> weights)
    {
        var own = weights.SubView(Lane / 4 * WeightPitch + 2 * (Lane & 3));
        Show(own, 0, in factor0);
        Show(own, 1, in factor1);
        Show(own, 2, in factor2);
        Show(own, 3, in factor3);
        Show(own, 4, in factor4);
        Show(own, 5, in factor5);
    }

    private static void Show(ArrayView<ushort> own, int factor, in Pack4<uint> pairs)
    {
        int lower = 8 * WeightPitch;
        Show(own.SubView(16 * factor), pairs.X);
        Show(own.SubView(16 * factor + lower), pairs.Y);
        Show(own.SubView(16 * factor + 8), pairs.Z);
        Show(own.SubView(16 * factor + 8 + lower), pairs.W);
    }

    private static void Show(ArrayView<ushort> own, uint pair)
    {
        own[0] = (ushort)pair;
        own[1] = (ushort)(pair >> 16);
    }

    // The lane's sums, without what has no weight: 0 · ∞ is no number.
    private static void SetExactly(
        ref MatrixProduct<TMatrix> sums, int count, ArrayView<ushort> weights, ArrayView<ushort> values, int pitch)
    {
        for (int i = 0; i < MatrixProduct<TMatrix>.Sums; i++)
        {
            int weight = MatrixProduct<TMatrix>.Row(i) * WeightPitch;
            int value = MatrixProduct<TMatrix>.Column(i);
            float sum = 0;
            for (int cell = 0; cell < count; cell++)
            {
                float factor = TMatrix.Widen(weights[weight + cell]);
                if (factor != 0)
                    sum += factor * TMatrix.Widen(values[value]);
                value += pitch * MatrixRound.Channels;
            }
            sums.Set(i, sum);
        }
    }

    private static Pack4<uint> Round(in Pack4<float> first, in Pack4<float> second) => new()
    {
        X = TMatrix.Pair(first.X, first.Y),
        Y = TMatrix.Pair(first.Z, first.W),
        Z = TMatrix.Pair(second.X, second.Y),
        W = TMatrix.Pair(second.Z, second.W),
    };
}
