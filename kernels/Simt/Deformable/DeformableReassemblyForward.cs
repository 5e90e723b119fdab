using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The sum of the map at the points of a query, each with its weight. A thread group takes some queries and one group of
/// channels, and finds their samples once for all channels; a thread owns four channels of a query.
/// </summary>
internal readonly struct DeformableReassemblyForward<TElement, TStorage, TReal, TAccess>
    : IKernel<DeformableSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => DeformableTable<TReal>.Length;

    public static long GroupCount(in DeformableSamplingParameters<TStorage> parameters) =>
        (long)parameters.Batch * parameters.Groups * Tiles(in parameters, Packs(in parameters));

    public static void Execute(in DeformableSamplingParameters<TStorage> parameters)
    {
        var table = DeformableTable<TReal>.Allocate();
        var weights = SharedMemory.Allocate<TReal>(GroupSize);
        var work = SharedMemory.Allocate<int>(4);
        int packs = Packs(in parameters);
        int queries = Queries(packs);
        if (Group.IdxX == 0)
        {
            int tiles = (int)Tiles(in parameters, packs);
            int owner = Grid.IdxX / tiles;
            work[0] = owner / parameters.Groups;
            work[1] = owner - work[0] * parameters.Groups;
            work[2] = (Grid.IdxX - owner * tiles) * queries;
        }
        Group.Barrier();
        int image = work[0];
        int group = work[1];
        int across = GroupSize / queries;

        // Neighbouring threads take what lies side by side: packs of a query, or queries.
        int own = TAccess.ChannelsFastest ? Group.IdxX / across : Group.IdxX & (queries - 1);
        int ownPack = TAccess.ChannelsFastest ? Group.IdxX & (across - 1) : Group.IdxX / queries;
        int query = work[2] + own;
        bool inside = query < parameters.Rows.Queries * parameters.Columns.Queries;
        int queryRow = query / parameters.Columns.Queries;
        int queryColumn = query - queryRow * parameters.Columns.Queries;
        for (int firstPack = 0; firstPack < packs; firstPack += across)
        {
            int channel = 4 * (firstPack + ownPack);
            int remaining = inside ? parameters.GroupChannels - channel : 0;
            long toChannel = channel * parameters.Map.ChannelStride;
            var sum = default(Pack4<TReal>);
            for (int first = 0; first < parameters.Points; first += across)
            {
                Group.Barrier();
                Find(in parameters, in table, weights, image, group, work[2], queries, first);
                Group.Barrier();
                int count = Math.Min(across, parameters.Points - first);
                if (remaining <= 0)
                    count = 0;
                for (int i = 0; i < count; i++)
                    Add(in parameters, in table, weights, own + i * queries, toChannel, remaining, ref sum);
            }
            if (remaining > 0)
            {
                TAccess.Store<TElement, TStorage, TReal>(
                    in parameters.Result,
                    parameters.Result.Offset(image, group * parameters.GroupChannels + channel, queryRow, queryColumn),
                    remaining,
                    in sum);
            }
        }
    }

    // A thread finds a sample: the queries side by side, point after point.
    private static void Find(
        in DeformableSamplingParameters<TStorage> parameters,
        in DeformableTable<TReal> table,
        ArrayView<TReal> weights,
        int image,
        int group,
        int firstQuery,
        int queries,
        int firstPoint)
    {
        int index = Group.IdxX;
        int query = firstQuery + (index & (queries - 1));
        int point = firstPoint + index / queries;
        int row = query / parameters.Columns.Queries;
        int column = query - row * parameters.Columns.Queries;
        table.Leave(index);
        if (row < parameters.Rows.Queries & point < parameters.Points)
        {
            table.Find<TElement, TStorage>(in parameters, index, image, group, point, row, column);
            weights[index] = TElement.Load(parameters.Weights.Data[
                parameters.Weights.Offset(image, group * parameters.Points + point, row, column)]);
        }
    }

    private static void Add(
        in DeformableSamplingParameters<TStorage> parameters,
        in DeformableTable<TReal> table,
        ArrayView<TReal> weights,
        int index,
        long toChannel,
        int remaining,
        ref Pack4<TReal> sum)
    {
        int corners = table.Corners[index];
        if (corners == 0)
            return;
        var fraction = table.Fractions[index];
        var weight = weights[index];
        var around = DeformableTable<TReal>.Load<TElement, TStorage, TAccess>(
            in parameters.Map, table.Cells[index] + toChannel, corners, remaining);
        var up = weight * (TReal.One - fraction.Y);
        var down = weight * fraction.Y;
        var left = TReal.One - fraction.X;
        Pack4.Add(ref sum, up * left, in around.UpperLeft);
        Pack4.Add(ref sum, up * fraction.X, in around.UpperRight);
        Pack4.Add(ref sum, down * left, in around.LowerLeft);
        Pack4.Add(ref sum, down * fraction.X, in around.LowerRight);
    }

    private static int Packs(in DeformableSamplingParameters<TStorage> parameters) => (parameters.GroupChannels + 3) / 4;

    private static long Tiles(in DeformableSamplingParameters<TStorage> parameters, int packs)
    {
        int queries = Queries(packs);
        return ((long)parameters.Rows.Queries * parameters.Columns.Queries + queries - 1) / queries;
    }

    // The queries of a thread group, a power of two: few channels are few packs, and the threads should all have one.
    private static int Queries(int packs) => packs > 8 ? 8 : packs > 4 ? 16 : 32;
}
