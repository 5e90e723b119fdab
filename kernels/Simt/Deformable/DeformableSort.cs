using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Sorts the list of a cell by the samples, so that what it adds up to does not depend on chance, and finds the bilinear
/// weight of each. A thread group sorts a list, in shared memory where it fits.
/// </summary>
/// <remarks>
/// In a short list every entry counts those before it, which is its place, and no barrier is needed. Longer ones pass a
/// bitonic network in which every step sorts upwards: entries past the end count as larger than all others, are never
/// moved, and need no memory.
/// </remarks>
internal readonly struct DeformableSort<TElement, TStorage, TReal>
    : IKernel<DeformableGatherParameters<TStorage, TReal>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int Most = 1024;
    private const int MostCounted = 256;

    public static int GroupSize => 64;

    public static long GroupCount(in DeformableGatherParameters<TStorage, TReal> parameters) =>
        (long)parameters.Groups * parameters.Cells;

    public static void Execute(in DeformableGatherParameters<TStorage, TReal> parameters)
    {
        var sorted = SharedMemory.Allocate<int>(Most).AsAligned(16);
        var range = SharedMemory.Allocate<int>(3);
        if (Group.IdxX == 0)
        {
            int owner = Grid.IdxX / parameters.Cells;
            long start = (long)owner * (parameters.Cells + 1) + Grid.IdxX - owner * parameters.Cells;
            range[0] = owner;
            range[1] = parameters.Starts[start];
            range[2] = parameters.Starts[start + 1] - range[1];
        }
        Group.Barrier();
        int group = range[0];
        int count = range[2];
        long first = (long)group * parameters.EntriesOfGroup + range[1];
        if (count > Most)
        {
            Sort(parameters.Samples.SubView(first, count), count);
            for (int i = Group.IdxX; i < count; i += GroupSize)
                Write(in parameters, group, first + i, parameters.Samples[first + i]);
            return;
        }
        for (int i = Group.IdxX; i < count; i += GroupSize)
            sorted[i] = parameters.Samples[first + i];
        if (count <= MostCounted)
        {
            // Entries of four at a time: those past the end are larger than all.
            if (Group.IdxX < 4)
                sorted[count + Group.IdxX] = int.MaxValue;
            Group.Barrier();
            for (int i = Group.IdxX; i < count; i += GroupSize)
            {
                int entry = sorted[i];
                Write(in parameters, group, first + Before(entry, sorted, count), entry);
            }
            return;
        }
        Sort(sorted, count);
        for (int i = Group.IdxX; i < count; i += GroupSize)
            Write(in parameters, group, first + i, sorted[i]);
    }

    private static int Before(int entry, ArrayView<int> list, int count)
    {
        var packs = list.AsAligned(16).Cast<Pack4<int>>();
        int before = 0;
        for (int i = 0; i < count; i += 4)
        {
            var others = packs[i / 4];
            before += (others.X < entry ? 1 : 0) + (others.Y < entry ? 1 : 0)
                + (others.Z < entry ? 1 : 0) + (others.W < entry ? 1 : 0);
        }
        return before;
    }

    // Begins and ends with a barrier.
    private static void Sort(ArrayView<int> list, int count)
    {
        for (int run = 2; run < 2 * count; run *= 2)
        {
            // The first step joins two sorted runs, of which the second is read backwards.
            Step(list, count, run / 2, run - 1);
            for (int distance = run / 4; distance > 0; distance /= 2)
                Step(list, count, distance, distance);
        }
        Group.Barrier();
    }

    // A thread takes pairs of entries whose numbers differ in the bits of a mask, the highest of which is a distance.
    private static void Step(ArrayView<int> list, int count, int distance, int mask)
    {
        Group.Barrier();
        for (int pair = Group.IdxX; pair < count; pair += GroupSize)
        {
            int low = (pair & ~(distance - 1)) * 2 + (pair & (distance - 1));
            int high = low ^ mask;
            if (high >= count)
                continue;
            int before = list[low];
            int after = list[high];
            if (after < before)
            {
                list[low] = after;
                list[high] = before;
            }
        }
    }

    private static void Write(
        in DeformableGatherParameters<TStorage, TReal> parameters, int group, long at, int entry)
    {
        int sample = entry / DeformableTouch.Corners;
        parameters.Samples[at] = sample;
        parameters.BilinearWeights[at] = DeformableTouch.BilinearWeight<TElement, TStorage, TReal>(
            in parameters, group, sample, entry & (DeformableTouch.Corners - 1));
    }
}
