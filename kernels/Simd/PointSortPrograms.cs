using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>A step of the stable counting sort of samples by cells, on the CPU.</summary>
public interface IPointSortStep
{
    /// <summary>Gets whether samples are put in their places, or only counted.</summary>
    static abstract bool Places { get; }
}

/// <summary>Counts the samples that touch every cell.</summary>
public readonly struct CountSamples : IPointSortStep
{
    /// <inheritdoc/>
    public static bool Places => false;
}

/// <summary>Puts samples in their places.</summary>
public readonly struct PlaceSamples : IPointSortStep
{
    /// <inheritdoc/>
    public static bool Places => true;
}

/// <summary>
/// The first and the last step of the sort: a tile walks the samples of one chunk of queries of one group.
/// </summary>
public readonly unsafe struct PointSortProgram<TSimd, TStorage, T, TVector, TStep>
    : ITileProgram<PointGatherParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TStep : struct, IPointSortStep
{
    /// <inheritdoc/>
    public static long TileCount(in PointGatherParameters<TStorage, T> parameters) =>
        (long)parameters.Groups * parameters.Chunks;

    /// <inheritdoc/>
    public static long ScratchBytes(in PointGatherParameters<TStorage, T> parameters) => 0;

    /// <inheritdoc/>
    public static double Operations(in PointGatherParameters<TStorage, T> parameters) =>
        60.0 * parameters.Groups * parameters.Queries * parameters.Points;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointGatherParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        (long group, long chunk) = Math.DivRem(tile, parameters.Chunks);
        int* counts = PointLists.Of(parameters.Counts) + tile * parameters.Cells;
        if (!TStep.Places)
            new Span<int>(counts, parameters.Cells).Clear();
        long entries = group * 4 * parameters.Queries * parameters.Points;
        int* samples = PointLists.Of(parameters.Samples) + entries;
        T* shares = PointLists.Of(parameters.Shares) + entries;
        var offsets = new MapPointer<TStorage>(in parameters.Offsets);
        nint down = offsets.ChannelStride;
        int firstPoint = (int)group * parameters.Points;
        int height = parameters.Rows.Cells;
        int width = parameters.Columns.Cells;
        int end = (int)Math.Min((chunk + 1) * parameters.QueriesPerChunk, parameters.Queries);
        for (int query = (int)chunk * parameters.QueriesPerChunk; query < end; query++)
        {
            (int row, int column) = Math.DivRem(query, parameters.Columns.Queries);
            int cellRow = parameters.Rows.CellOf(row);
            int cellColumn = parameters.Columns.CellOf(column);
            for (int i = 0; i < parameters.Points; i++)
            {
                TStorage* offset = offsets.At(parameters.Image, 2 * (firstPoint + i), row, column);
                if (!PointPlace<T>.TryLocate(
                    cellRow, cellColumn, TSimd.Widen(offset[down]), TSimd.Widen(*offset), height, width, out var place))
                {
                    continue;
                }
                for (int corner = 0; corner < 4; corner++)
                {
                    if (!place.IsInside(corner, height, width))
                        continue;
                    int cell = (place.Row + (corner >> 1)) * width + place.Column + (corner & 1);
                    int entry = counts[cell]++;
                    if (!TStep.Places)
                        continue;
                    samples[entry] = query * parameters.Points + i;
                    shares[entry] = place.Share(corner);
                }
            }
        }
    }
}

/// <summary>
/// The middle of the sort: where the list of every cell starts, and in it the part of every chunk. A tile is a group.
/// </summary>
public readonly unsafe struct PointStartsProgram<TStorage, T> : ITileProgram<PointGatherParameters<TStorage, T>>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public static long TileCount(in PointGatherParameters<TStorage, T> parameters) => parameters.Groups;

    /// <inheritdoc/>
    public static long ScratchBytes(in PointGatherParameters<TStorage, T> parameters) => 0;

    /// <inheritdoc/>
    public static double Operations(in PointGatherParameters<TStorage, T> parameters) =>
        4.0 * parameters.Groups * parameters.Chunks * parameters.Cells;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointGatherParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        int cells = parameters.Cells;
        int* starts = PointLists.Of(parameters.Starts) + tile * (cells + 1);
        int* counts = PointLists.Of(parameters.Counts) + tile * parameters.Chunks * cells;
        new Span<int>(starts, cells + 1).Clear();

        // By chunks and then by cells, in the order of the memory.
        for (int chunk = 0; chunk < parameters.Chunks; chunk++)
        {
            int* own = counts + (nint)chunk * cells;
            for (int cell = 0; cell < cells; cell++)
                starts[cell] += own[cell];
        }
        int start = 0;
        for (int cell = 0; cell <= cells; cell++)
        {
            int length = starts[cell];
            starts[cell] = start;
            start += length;
        }

        // The starts move along with the chunks, and back by one cell at the end.
        for (int chunk = 0; chunk < parameters.Chunks; chunk++)
        {
            int* own = counts + (nint)chunk * cells;
            for (int cell = 0; cell < cells; cell++)
            {
                int length = own[cell];
                own[cell] = starts[cell];
                starts[cell] += length;
            }
        }
        for (int cell = cells; cell > 0; cell--)
            starts[cell] = starts[cell - 1];
        starts[0] = 0;
    }
}

/// <summary>The lists of the sort as pointers.</summary>
internal static unsafe class PointLists
{
    public static TItem* Of<TItem>(ArrayView<TItem> view)
        where TItem : unmanaged => (TItem*)Unsafe.AsPointer(ref view.LoadEffectiveAddress());
}
