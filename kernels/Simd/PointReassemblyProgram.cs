using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="PointReassembly{TElement, TStorage, TAccumulator}"/> on the CPU, from a channels-last map: a tile is a run of
/// queries; the cells around the points of a group and their factors are listed once, then summed with the lanes over
/// channels.
/// </summary>
public readonly unsafe struct PointReassemblyProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<PointSamplingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    /// <inheritdoc/>
    public static long TileCount(in PointSamplingParameters<TStorage> parameters) =>
        PointRun<TStorage, T>.Extent(in parameters).Runs(PointRun<TStorage, T>.Length);

    /// <inheritdoc/>
    public static double Operations(in PointSamplingParameters<TStorage> parameters) =>
        PointRun<TStorage, T>.Extent(in parameters).Pixels
            * (double)parameters.Groups * parameters.Points * (32.0 + 8.0 * parameters.GroupChannels);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointSamplingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = PointRun<TStorage, T>.Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, PointRun<TStorage, T>.Length);
        var map = new MapPointer<TStorage>(in parameters.Map);
        var result = new MapPointer<TStorage>(in parameters.Result);
        int all = parameters.Groups * parameters.Points;
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Offsets), in span, workspace.Offsets, 2 * all, workspace.OffsetStride);
        PixelRows<TSimd, TStorage, T, TVector>.Load(
            new MapPointer<TStorage>(in parameters.Weights), in span, workspace.Weights, all, workspace.WeightStride);
        new Span<T>(workspace.Result, span.Count * workspace.ResultStride).Clear();
        int cellRow = parameters.Rows.CellOf(span.Row);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            int cellColumn = parameters.Columns.CellOf(span.Column + pixel);
            T* offsets = workspace.Offsets + (nint)pixel * workspace.OffsetStride;
            T* weights = workspace.Weights + (nint)pixel * workspace.WeightStride;
            T* sums = workspace.Result + (nint)pixel * workspace.ResultStride;
            for (int group = 0; group < parameters.Groups; group++)
            {
                TStorage* first = map.At(span.Image, group * parameters.GroupChannels, 0, 0);
                int terms = List(
                    in parameters, in map, first, offsets, weights, group * parameters.Points, cellRow, cellColumn, workspace.Terms);
                PointSums<TSimd, TStorage, T, TVector>.Add(
                    workspace.Terms, terms, sums + group * parameters.GroupChannels, parameters.GroupChannels);
            }
        }
        bool streams = StreamingStores.Pay<TStorage>(extent.Pixels * extent.OutputChannels)
            && StreamingStores.IsAligned(in result, TSimd.Lanes * sizeof(TStorage));
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Result, workspace.ResultStride, in result, in span, extent.OutputChannels, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int List(
        in PointSamplingParameters<TStorage> parameters,
        in MapPointer<TStorage> map,
        TStorage* first,
        T* offsets,
        T* weights,
        int point,
        int cellRow,
        int cellColumn,
        PointTerm<TStorage, T>* terms)
    {
        int count = 0;
        int height = parameters.Rows.Cells;
        int width = parameters.Columns.Cells;
        for (int end = point + parameters.Points; point < end; point++)
        {
            if (!PointRun<TStorage, T>.TryLocate(in parameters, offsets, point, cellRow, cellColumn, out var place))
                continue;
            for (int corner = 0; corner < 4; corner++)
            {
                if (!place.IsInside(corner, height, width))
                    continue;
                terms[count++] = new PointTerm<TStorage, T>
                {
                    Cell = first + (place.Row + (corner >> 1)) * map.RowStride
                        + (place.Column + (corner & 1)) * map.ColumnStride,
                    Factor = weights[point] * place.Share(corner),
                };
            }
        }
        return count;
    }

    private readonly struct Workspace
    {
        public readonly T* Offsets;
        public readonly T* Weights;
        public readonly T* Result;
        public readonly PointTerm<TStorage, T>* Terms;
        public readonly int OffsetStride;
        public readonly int WeightStride;
        public readonly int ResultStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            int all = parameters.Groups * parameters.Points;
            OffsetStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(2 * all);
            WeightStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(all);
            ResultStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            Offsets = scratch.Take<T>((long)PointRun<TStorage, T>.Length * OffsetStride);
            Weights = scratch.Take<T>((long)PointRun<TStorage, T>.Length * WeightStride);
            Result = scratch.Take<T>((long)PointRun<TStorage, T>.Length * ResultStride);
            Terms = (PointTerm<TStorage, T>*)scratch.Take<byte>(4L * parameters.Points * sizeof(PointTerm<TStorage, T>));
        }
    }
}
