using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="PointGather{TElement, TStorage, TAccumulator}"/> on the CPU, from channels-last features: a tile is a run of
/// cells; the list of a cell is turned into places and factors, some entries at a time, and summed with the lanes over
/// channels.
/// </summary>
public readonly unsafe struct PointGatherProgram<TSimd, TStorage, T, TVector>
    : ITileProgram<PointGatherParameters<TStorage, T>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
{
    private const int Length = 16;
    private const int MostTerms = 256;

    /// <inheritdoc/>
    public static long TileCount(in PointGatherParameters<TStorage, T> parameters) => Extent(in parameters).Runs(Length);

    /// <inheritdoc/>
    public static double Operations(in PointGatherParameters<TStorage, T> parameters) =>
        8.0 * parameters.Groups * parameters.Queries * parameters.Points * (parameters.GroupChannels + 4.0);

    /// <inheritdoc/>
    public static long ScratchBytes(in PointGatherParameters<TStorage, T> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointGatherParameters<TStorage, T> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, Length);
        span.Image = parameters.Image;
        new Span<T>(workspace.Sums, Length * workspace.Stride).Clear();
        int* starts = PointLists.Of(parameters.Starts);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            long cell = (long)span.Row * parameters.Columns.Cells + span.Column + pixel;
            for (int group = 0; group < parameters.Groups; group++)
            {
                int* list = starts + (long)group * (parameters.Cells + 1) + cell;
                T* sums = workspace.Sums + (nint)pixel * workspace.Stride + group * parameters.GroupChannels;
                for (int first = list[0]; first < list[1]; first += MostTerms)
                {
                    int count = Math.Min(MostTerms, list[1] - first);
                    List(in parameters, group, first, count, workspace.Terms);
                    PointSums<TSimd, TStorage, T, TVector>.Add(workspace.Terms, count, sums, parameters.GroupChannels);
                }
            }
        }
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Sums,
            workspace.Stride,
            new MapPointer<TStorage>(in parameters.Result),
            in span,
            extent.OutputChannels);
    }

    private static PointwiseExtent Extent(in PointGatherParameters<TStorage, T> parameters) => new()
    {
        Batch = 1,
        Height = parameters.Rows.Cells,
        Width = parameters.Columns.Cells,
        InputChannels = parameters.Groups * parameters.GroupChannels,
        OutputChannels = parameters.Groups * parameters.GroupChannels,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void List(
        in PointGatherParameters<TStorage, T> parameters, int group, int first, int count, PointTerm<TStorage, T>* terms)
    {
        var features = new MapPointer<TStorage>(in parameters.Features);
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        TStorage* feature = features.At(parameters.Image, group * parameters.GroupChannels, 0, 0);
        TStorage* weight = weights.At(parameters.Image, group * parameters.Points, 0, 0);
        long entries = (long)group * 4 * parameters.Queries * parameters.Points + first;
        int* samples = PointLists.Of(parameters.Samples) + entries;
        T* shares = PointLists.Of(parameters.Shares) + entries;
        var points = (uint)parameters.Points;
        var width = (uint)parameters.Columns.Queries;
        for (int i = 0; i < count; i++)
        {
            var sample = (uint)samples[i];
            uint query = sample / points;
            uint point = sample - query * points;
            uint row = query / width;
            uint column = query - row * width;
            terms[i].Cell = feature + (nint)row * features.RowStride + (nint)column * features.ColumnStride;
            terms[i].Factor = shares[i] * TSimd.Widen(
                weight[(nint)point * weights.ChannelStride + (nint)row * weights.RowStride
                    + (nint)column * weights.ColumnStride]);
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Sums;
        public readonly PointTerm<TStorage, T>* Terms;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PointGatherParameters<TStorage, T> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            Sums = scratch.Take<T>((long)Length * Stride);
            Terms = (PointTerm<TStorage, T>*)scratch.Take<byte>((long)MostTerms * sizeof(PointTerm<TStorage, T>));
        }
    }
}
