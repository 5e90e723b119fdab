using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// <see cref="PointReassembly{TElement, TStorage, TAccumulator}"/> on the CPU, from a channels-last map: a tile is a run of
/// queries; the four cells around a point are added with their shares, with the lanes over channels.
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
    public static void Begin(in PointSamplingParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        new Span<TStorage>(workspace.Outside, parameters.GroupChannels).Clear();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PointSamplingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = PointRun<TStorage, T>.Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, PointRun<TStorage, T>.Length);
        var result = new MapPointer<TStorage>(in parameters.Result);
        new Span<T>(workspace.Result, span.Count * workspace.ResultStride).Clear();
        workspace.Places.Begin(in parameters, in span);
        for (int group = 0; group < parameters.Groups; group++)
            AddGroup(in parameters, in span, group, in workspace);
        bool streams = StreamingStores.Pay<TStorage>(extent.Pixels * extent.OutputChannels)
            && StreamingStores.IsAligned(in result, TSimd.Lanes * sizeof(TStorage));
        PixelRows<TSimd, TStorage, T, TVector>.Store(
            workspace.Result, workspace.ResultStride, in result, in span, extent.OutputChannels, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddGroup(
        in PointSamplingParameters<TStorage> parameters, in PixelSpan span, int group, in Workspace workspace)
    {
        var map = new MapPointer<TStorage>(in parameters.Map);
        var weights = new MapPointer<TStorage>(in parameters.Weights);
        int channels = parameters.GroupChannels;
        int height = parameters.Rows.Cells;
        int width = parameters.Columns.Cells;
        TStorage* first = map.At(span.Image, group * channels, 0, 0);
        var places = workspace.Places;
        for (int point = group * parameters.Points; point < (group + 1) * parameters.Points; point++)
        {
            PointPlaces<TSimd, TStorage, T, TVector>.Locate(in parameters, in span, point, in places);
            TSimd.Gather(
                weights.At(span.Image, point, span.Row, span.Column), weights.ColumnStride, workspace.Weights, span.Count);
            for (int i = 0; i < span.Count; i++)
            {
                if (!places.TryRead(i, height, width, out int row, out int column))
                    continue;
                TStorage* upper = first + row * map.RowStride + column * map.ColumnStride;
                TStorage* lower = upper + map.RowStride;
                bool isLeft = column >= 0;
                bool isRight = column + 1 < width;
                bool isAbove = row >= 0;
                bool isBelow = row + 1 < height;
                T below = workspace.Weights[i] * places.Down[i];
                T above = workspace.Weights[i] - below;
                T aboveRight = above * places.Across[i];
                T belowRight = below * places.Across[i];
                Add(
                    workspace.Result + (nint)i * workspace.ResultStride + group * channels,
                    isAbove & isLeft ? upper : workspace.Outside,
                    isAbove & isRight ? upper + map.ColumnStride : workspace.Outside,
                    isBelow & isLeft ? lower : workspace.Outside,
                    isBelow & isRight ? lower + map.ColumnStride : workspace.Outside,
                    new Pack4<T> { X = above - aboveRight, Y = aboveRight, Z = below - belowRight, W = belowRight },
                    channels);
            }
        }
    }

    // sums += the four cells, each with its share.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(
        T* sums, TStorage* a, TStorage* b, TStorage* c, TStorage* d, in Pack4<T> shares, int channels)
    {
        int lanes = TSimd.Lanes;
        var sa = TSimd.Broadcast(shares.X);
        var sb = TSimd.Broadcast(shares.Y);
        var sc = TSimd.Broadcast(shares.Z);
        var sd = TSimd.Broadcast(shares.W);
        int channel = 0;
        for (; channel + lanes <= channels; channel += lanes)
        {
            var sum = TSimd.MultiplyAdd(sa, TSimd.LoadStorage(a + channel), TSimd.Load(sums + channel));
            sum = TSimd.MultiplyAdd(sb, TSimd.LoadStorage(b + channel), sum);
            sum = TSimd.MultiplyAdd(sc, TSimd.LoadStorage(c + channel), sum);
            sum = TSimd.MultiplyAdd(sd, TSimd.LoadStorage(d + channel), sum);
            TSimd.Store(sums + channel, sum);
        }
        for (; channel < channels; channel++)
        {
            sums[channel] += shares.X * TSimd.Widen(a[channel]) + shares.Y * TSimd.Widen(b[channel])
                + shares.Z * TSimd.Widen(c[channel]) + shares.W * TSimd.Widen(d[channel]);
        }
    }

    private readonly struct Workspace
    {
        public readonly T* Result;
        public readonly T* Weights;
        public readonly TStorage* Outside;
        public readonly PointPlaces<TSimd, TStorage, T, TVector> Places;
        public readonly int ResultStride;

        public Workspace(ref ScratchAllocator scratch, in PointSamplingParameters<TStorage> parameters)
        {
            ResultStride = PixelRows<TSimd, TStorage, T, TVector>.Stride(parameters.Groups * parameters.GroupChannels);
            Result = scratch.Take<T>((long)PointRun<TStorage, T>.Length * ResultStride);
            Weights = scratch.Take<T>(PointRun<TStorage, T>.Length);
            Outside = scratch.Take<TStorage>(parameters.GroupChannels);
            Places = new PointPlaces<TSimd, TStorage, T, TVector>(ref scratch);
        }
    }
}
