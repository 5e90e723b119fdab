using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Frontend;

namespace SapaGpu.Tests.Traffic;

/// <summary>
/// What every thread of one thread group reads and writes of the feature maps, in the order in which it does.
/// </summary>
internal static class AccessTrace
{
    private const int LineBytes = 128;
    private const int SectorBytes = 32;
    private const int WarpSize = 32;
    private const int GroupSize = 128;

    private static List<Access>[] threads = [];
    private static int tracedGroup = -1;

    /// <summary>Traces a group while an action runs.</summary>
    public static AccessCounts Of(int group, Action action)
    {
        threads = [.. Enumerable.Range(0, GroupSize).Select(_ => new List<Access>())];
        tracedGroup = group;
        action();
        tracedGroup = -1;
        return Count();
    }

    /// <summary>
    /// Notes an access; the emulator runs the groups one after the other, and a thread notes only its own.
    /// </summary>
    [External("traffic")]
    public static unsafe void Note<T>(int group, int thread, ArrayView<T> data, long offset, int elements, int isWrite)
        where T : unmanaged
    {
        if (group != tracedGroup)
            return;

        // Memory of a GPU begins with a line; that of the processor need not.
        long begin = (long)Unsafe.AsPointer(ref data[0]) / LineBytes * LineBytes;
        threads[thread].Add(new Access(begin + offset * sizeof(T), elements * sizeof(T), isWrite != 0));
    }

    private static AccessCounts Count()
    {
        var all = threads.SelectMany(thread => thread).ToArray();
        long passes = 0;
        for (int first = 0; first < threads.Length; first += WarpSize)
            passes += Passes(threads.AsSpan(first, WarpSize));
        return new AccessCounts(
            all.Where(access => !access.IsWrite).Sum(access => (long)access.Bytes),
            Distinct(all.Where(access => !access.IsWrite)),
            Distinct(all.Where(access => access.IsWrite)),
            passes);
    }

    // Threads in step: their accesses of the same number belong together. As many threads are served at once as fill a
    // line.
    private static long Passes(ReadOnlySpan<List<Access>> warp)
    {
        long passes = 0;
        int most = 0;
        foreach (var thread in warp)
            most = Math.Max(most, thread.Count);
        for (int i = 0; i < most; i++)
        {
            var lines = new HashSet<(int Part, long Line)>();
            for (int thread = 0; thread < warp.Length; thread++)
            {
                if (i < warp[thread].Count)
                {
                    var access = warp[thread][i];
                    lines.Add((thread * access.Bytes / LineBytes, access.Address / LineBytes));
                }
            }
            passes += lines.Count;
        }
        return passes;
    }

    private static long Distinct(IEnumerable<Access> accesses)
    {
        var sectors = new HashSet<long>();
        foreach (var access in accesses)
        {
            for (long at = access.Address / SectorBytes; at * SectorBytes < access.Address + access.Bytes; at++)
                sectors.Add(at);
        }
        return sectors.Count * SectorBytes;
    }

    private readonly record struct Access(long Address, int Bytes, bool IsWrite);
}

/// <summary>The accesses of a thread group to the feature maps.</summary>
/// <param name="RequestedBytes">Bytes that its threads ask for, each for itself.</param>
/// <param name="ReadBytes">
/// Bytes that they read, every sector of 32 bytes once: what has to come from beyond the group.
/// </param>
/// <param name="WrittenBytes">Bytes that they write, every sector once.</param>
/// <param name="Passes">
/// Lines of 128 bytes that threads in step touch, eight at a time where each accesses 16 bytes and a whole warp where
/// each accesses 4, added up over all accesses: cycles of the first-level cache, if it serves one line a cycle.
/// </param>
internal readonly record struct AccessCounts(long RequestedBytes, long ReadBytes, long WrittenBytes, long Passes);
