using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Adds up the list of a cell: bilinear weight · weight · feature of every sample. A thread group takes one cell of one
/// group of channels; its threads are packs of four channels times slices of the list, whose sums are added in a fixed
/// order. What does not depend on the channel is found once for every entry.
/// </summary>
internal readonly struct DeformableGather<TElement, TStorage, TReal, TAccess>
    : IKernel<DeformableGatherParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TAccess : struct, IChannelAccess
{
    public static int GroupSize => 128;

    public static long GroupCount(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        (long)parameters.Groups * parameters.Cells;

    public static void Execute(in DeformableGatherParameters<TStorage, TReal> parameters)
    {
        var weights = SharedMemory.Allocate<TReal>(GroupSize);
        var places = SharedMemory.Allocate<long>(GroupSize);
        var sums = SharedMemory.Allocate<Pack4<TReal>>(GroupSize);
        var shape = SharedMemory.Allocate<int>(6);
        int packs = (parameters.GroupChannels + 3) / 4;
        if (Group.IdxX == 0)
        {
            int owner = Grid.IdxX / parameters.Cells;
            int cell = Grid.IdxX - owner * parameters.Cells;
            long start = (long)owner * (parameters.Cells + 1) + cell;
            int row = cell / parameters.Columns.Cells;
            int width = 1;
            while (width < packs & width < GroupSize)
                width *= 2;
            shape[0] = owner;
            shape[1] = row;
            shape[2] = cell - row * parameters.Columns.Cells;
            shape[3] = parameters.Starts[start];
            shape[4] = parameters.Starts[start + 1];
            shape[5] = width;
        }
        Group.Barrier();
        int group = shape[0];
        int end = shape[4];
        int across = shape[5];
        int slices = GroupSize / across;
        int slice = Group.IdxX / across;
        long entries = (long)group * parameters.EntriesOfGroup;
        for (int firstPack = 0; firstPack < packs; firstPack += across)
        {
            int channel = 4 * (firstPack + (Group.IdxX & (across - 1)));
            int remaining = parameters.GroupChannels - channel;
            long toChannel = (group * parameters.GroupChannels + channel) * parameters.Features.ChannelStride;
            var sum = default(Pack4<TReal>);
            for (int first = shape[3]; first < end; first += GroupSize)
            {
                Group.Barrier();
                if (first + Group.IdxX < end)
                    Find(in parameters, group, entries + first + Group.IdxX, weights, places);
                Group.Barrier();
                int count = Math.Min(GroupSize, end - first);
                if (remaining <= 0)
                    count = 0;
                for (int i = slice; i < count; i += slices)
                {
                    var feature = TAccess.Load<TElement, TStorage, TReal>(
                        in parameters.Features, places[i] + toChannel, remaining);
                    Pack4.Add(ref sum, weights[i], in feature);
                }
            }
            Group.Barrier();
            sums[Group.IdxX] = sum;
            Group.Barrier();
            if (slice == 0 & remaining > 0)
            {
                for (int other = 1; other < slices; other++)
                {
                    var part = sums[other * across + Group.IdxX];
                    Pack4.Add(ref sum, TReal.One, in part);
                }
                TAccess.Store<TElement, TStorage, TReal>(
                    in parameters.Result,
                    parameters.Result.Offset(
                        parameters.Image, group * parameters.GroupChannels + channel, shape[1], shape[2]),
                    remaining,
                    in sum);
            }
        }
    }

    // What an entry of the list gives to a channel: its weight, and where the features of its query are.
    private static void Find(
        in DeformableGatherParameters<TStorage, TReal> parameters,
        int group,
        long entry,
        ArrayView<TReal> weights,
        ArrayView<long> places)
    {
        int sample = parameters.Samples[entry];
        int query = sample / parameters.Points;
        int point = group * parameters.Points + sample - query * parameters.Points;
        int row = query / parameters.Columns.Queries;
        int column = query - row * parameters.Columns.Queries;
        var weight = TElement.Load(
            parameters.Weights.Data[parameters.Weights.Offset(parameters.Image, point, row, column)]);
        weights[Group.IdxX] = parameters.BilinearWeights[entry] * weight;
        places[Group.IdxX] = parameters.Features.Offset(parameters.Image, 0, row, column);
    }
}
