using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Turns the lengths of the lists of a group into their starts, and leaves the starts in the place of the lengths too, to
/// be counted up while the lists are filled. A thread group scans the cells of a group of channels, each thread a run of
/// neighbouring cells.
/// </summary>
internal readonly struct DeformableStarts<TStorage, TReal> : IKernel<DeformableGatherParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static int GroupSize => 128;

    public static long GroupCount(in DeformableGatherParameters<TStorage, TReal> parameters) => parameters.Groups;

    public static void Execute(in DeformableGatherParameters<TStorage, TReal> parameters)
    {
        var sums = SharedMemory.Allocate<int>(GroupSize);
        int thread = Group.IdxX;
        int cells = parameters.Cells;
        int perThread = (cells + GroupSize - 1) / GroupSize;
        int first = Math.Min(thread * perThread, cells);
        int end = Math.Min(first + perThread, cells);
        long counts = (long)Grid.IdxX * cells;
        long starts = (long)Grid.IdxX * (cells + 1);
        int sum = 0;
        for (int cell = first; cell < end; cell++)
            sum += parameters.Counts[counts + cell];
        sums[thread] = sum;

        // Each round adds the sum of as many threads before as are summed already.
        for (int distance = 1; distance < GroupSize; distance *= 2)
        {
            Group.Barrier();
            int before = thread >= distance ? sums[thread - distance] : 0;
            Group.Barrier();
            sums[thread] += before;
        }
        Group.Barrier();
        int start = sums[thread] - sum;
        for (int cell = first; cell < end; cell++)
        {
            int length = parameters.Counts[counts + cell];
            parameters.Starts[starts + cell] = start;
            parameters.Counts[counts + cell] = start;
            start += length;
        }
        if (thread == GroupSize - 1)
            parameters.Starts[starts + cells] = start;
    }
}
