using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The similarities of a query's features and the four cells around each of its points, Σ over the channels of the group,
/// and what <typeparamref name="TResult"/> makes of them. A thread group takes 128 samples of one group of channels.
/// </summary>
/// <remarks>
/// Where channels lie side by side, up to eight threads share a sample, and neighbours are the points of a query;
/// elsewhere a thread has a sample to itself, and neighbours are neighbouring queries.
/// </remarks>
internal readonly struct DeformableSimilarityForward<TElement, TStorage, TReal, TAccess, TResult>
    : IKernel<DeformableSamplingParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
    where TResult : struct, ISampleResult
{
    private const int MostLanes = 8;

    public static int GroupSize => DeformableTable<TReal>.Length;

    public static long GroupCount(in DeformableSamplingParameters<TStorage> parameters) =>
        (long)parameters.Batch * parameters.Groups * Tiles(in parameters);

    public static void Execute(in DeformableSamplingParameters<TStorage> parameters)
    {
        var table = DeformableTable<TReal>.Allocate();
        var features = SharedMemory.Allocate<long>(GroupSize);
        var partial = SharedMemory.Allocate<Pack4<TReal>>(GroupSize * (MostLanes + 1)).AsAligned(16);
        var work = SharedMemory.Allocate<int>(3);
        int tiles = (int)Tiles(in parameters);
        if (Group.IdxX == 0)
        {
            int owner = Grid.IdxX / tiles;
            work[0] = owner / parameters.Groups;
            work[1] = owner - work[0] * parameters.Groups;
            work[2] = Grid.IdxX - owner * tiles;
        }
        Group.Barrier();
        int image = work[0];
        int group = work[1];
        int queries = parameters.Rows.Queries * parameters.Columns.Queries;
        long sample = (long)work[2] * GroupSize + Group.IdxX;
        int major = (int)WholeNumber.Quotient(sample, TAccess.ChannelsFastest ? parameters.Points : queries);
        int minor = (int)(sample - (long)major * (TAccess.ChannelsFastest ? parameters.Points : queries));
        int query = TAccess.ChannelsFastest ? major : minor;
        int point = TAccess.ChannelsFastest ? minor : major;
        int row = query / parameters.Columns.Queries;
        int column = query - row * parameters.Columns.Queries;
        bool inside = query < queries & point < parameters.Points;
        table.Leave(Group.IdxX);
        if (inside)
        {
            table.Find<TElement, TStorage>(in parameters, Group.IdxX, image, group, point, row, column);
            features[Group.IdxX] = parameters.Features.Offset(image, group * parameters.GroupChannels, row, column);
        }
        Group.Barrier();
        int lanes = Lanes(parameters.GroupChannels);
        int lane = Group.IdxX & (lanes - 1);
        for (int i = Group.IdxX / lanes; i < GroupSize; i += GroupSize / lanes)
            partial[i * (MostLanes + 1) + lane] = Sum(in parameters, in table, features, i, lane, lanes);
        Group.Barrier();
        if (!inside)
            return;
        var sum = partial[Group.IdxX * (MostLanes + 1)];
        for (int other = 1; other < lanes; other++)
        {
            var part = partial[Group.IdxX * (MostLanes + 1) + other];
            Pack4.Add(ref sum, TReal.One, in part);
        }
        var fraction = new Pack2<TReal> { X = TReal.Zero, Y = TReal.Zero };
        if (table.Corners[Group.IdxX] != 0)
            fraction = table.Fractions[Group.IdxX];
        TResult.Write<TElement, TStorage, TReal>(
            in parameters, image, group * parameters.Points + point, row, column, in sum, in fraction);
    }

    private static Pack4<TReal> Sum(
        in DeformableSamplingParameters<TStorage> parameters,
        in DeformableTable<TReal> table,
        ArrayView<long> features,
        int index,
        int lane,
        int lanes)
    {
        var sum = default(Pack4<TReal>);
        int corners = table.Corners[index];
        if (corners == 0)
            return sum;
        long cell = table.Cells[index];
        long feature = features[index];
        for (int channel = 4 * lane; channel < parameters.GroupChannels; channel += 4 * lanes)
        {
            int remaining = parameters.GroupChannels - channel;
            var own = TAccess.Load<TElement, TStorage, TReal>(
                in parameters.Features, feature + channel * parameters.Features.ChannelStride, remaining);
            var around = DeformableTable<TReal>.Load<TElement, TStorage, TAccess>(
                in parameters.Map, cell + channel * parameters.Map.ChannelStride, corners, remaining);
            sum.X = Pack4.AddDot(in own, in around.UpperLeft, sum.X);
            sum.Y = Pack4.AddDot(in own, in around.UpperRight, sum.Y);
            sum.Z = Pack4.AddDot(in own, in around.LowerLeft, sum.Z);
            sum.W = Pack4.AddDot(in own, in around.LowerRight, sum.W);
        }
        return sum;
    }

    // A power of two, and no more than there are packs of four channels.
    private static int Lanes(int channels) =>
        !TAccess.ChannelsFastest | channels <= 4 ? 1 : channels <= 8 ? 2 : channels <= 16 ? 4 : MostLanes;

    private static long Tiles(in DeformableSamplingParameters<TStorage> parameters) =>
        ((long)parameters.Rows.Queries * parameters.Columns.Queries * parameters.Points + GroupSize - 1) / GroupSize;
}
