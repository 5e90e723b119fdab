using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Interpolation on the CPU. Channels-last maps have the lanes over channels, a tile being some rows of the output; other
/// maps are worked plane by plane: two rows are blended with the lanes over columns, then the columns.
/// </summary>
public readonly unsafe struct InterpolationProgram<TSimd, TStorage, T, TVector, TSampling>
    : ITileProgram<InterpolationParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, T, TVector>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TVector : struct
    where TSampling : struct, ISampling
{
    private const int ValuesPerTile = 1 << 15;

    /// <inheritdoc/>
    public static long TileCount(in InterpolationParameters<TStorage> parameters) => Tiling(in parameters).Count;

    /// <inheritdoc/>
    public static double Operations(in InterpolationParameters<TStorage> parameters) =>
        8.0 * parameters.Batch * parameters.Channels * parameters.Rows.Output * parameters.Columns.Output;

    /// <inheritdoc/>
    public static long ScratchBytes(in InterpolationParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    /// <inheritdoc/>
    public static void Begin(in InterpolationParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        new Workspace(ref allocator, in parameters).Columns.Fill<TSampling>(in parameters.Columns);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in InterpolationParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<TStorage>(in parameters.Result);
        bool overChannels = IsOverChannels(in parameters);
        bool streams = StreamingStores.Pay<TStorage>(
                (long)parameters.Batch * parameters.Channels * parameters.Rows.Output * parameters.Columns.Output)
            && (overChannels
                ? StreamingStores.IsAligned(in result, TSimd.Lanes * sizeof(TStorage))
                : result.ColumnStride == 1);
        var tiling = Tiling(in parameters);
        var rows = tiling.Begin(tile);
        while (tiling.Next(ref rows))
        {
            if (overChannels)
                Pixels(in parameters, in source, in result, in rows, in workspace, streams);
            else
                Plane(in parameters, in source, in result, in rows, in workspace, streams);
        }
        if (streams)
            StreamingStores.Complete();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in JoinedRange rows,
        in Workspace workspace,
        bool streams)
    {
        for (int row = rows.First; row < rows.End; row++)
        {
            var place = TSampling.Locate(in parameters.Rows, row);
            if (TSampling.Blends)
                BlendPixels(in parameters, in source, in result, in workspace, rows.Image, row, in place, streams);
            else
                CopyPixels(in parameters, in source, in result, in workspace, rows.Image, row, place.Low, streams);
        }
    }

    private static bool IsOverChannels(in InterpolationParameters<TStorage> parameters) =>
        SimdFormats.OverChannels(in parameters.Source, in parameters.Result, parameters.Channels, TSimd.Lanes);

    private static JoinedRows Tiling(in InterpolationParameters<TStorage> parameters)
    {
        int channels = IsOverChannels(in parameters) ? parameters.Channels : 1;
        return new(
            (long)parameters.Batch * parameters.Channels / channels,
            parameters.Rows.Output,
            (long)parameters.Columns.Output * channels,
            ValuesPerTile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyPixels(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in Workspace workspace,
        int image,
        int row,
        int sourceRow,
        bool streams)
    {
        TStorage* from = source.At(image, 0, sourceRow, 0);
        TStorage* to = result.At(image, 0, row, 0);
        long bytes = (long)parameters.Channels * sizeof(TStorage);
        for (int column = 0; column < parameters.Columns.Output; column++)
        {
            TStorage* pixel = from + workspace.Columns.Low[column] * source.ColumnStride;
            if (streams)
                StreamingStores.Copy((byte*)pixel, (byte*)to, bytes);
            else
                Buffer.MemoryCopy(pixel, to, bytes, bytes);
            to += result.ColumnStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlendPixels(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in Workspace workspace,
        int image,
        int row,
        in SamplePlace place,
        bool streams)
    {
        int lanes = TSimd.Lanes;
        int channels = parameters.Channels;
        TStorage* upper = source.At(image, 0, place.Low, 0);
        TStorage* lower = source.At(image, 0, place.High, 0);
        TStorage* to = result.At(image, 0, row, 0);
        T downValue = SampleTable<T>.FractionOf(in place);
        var down = TSimd.Broadcast(downValue);
        var up = TSimd.Broadcast(T.One - downValue);
        for (int column = 0; column < parameters.Columns.Output; column++)
        {
            nint low = workspace.Columns.Low[column] * source.ColumnStride;
            nint high = workspace.Columns.High[column] * source.ColumnStride;
            T acrossValue = workspace.Columns.Fraction[column];
            var across = TSimd.Broadcast(acrossValue);
            var left = TSimd.Broadcast(T.One - acrossValue);
            for (int channel = 0; channel < channels; channel += lanes)
            {
                // The last vector overlaps the one before it.
                int at = Math.Min(channel, channels - lanes);
                var above = TSimd.MultiplyAdd(
                    left, TSimd.LoadStorage(upper + low + at), TSimd.Multiply(across, TSimd.LoadStorage(upper + high + at)));
                var below = TSimd.MultiplyAdd(
                    left, TSimd.LoadStorage(lower + low + at), TSimd.Multiply(across, TSimd.LoadStorage(lower + high + at)));
                var value = TSimd.MultiplyAdd(up, above, TSimd.Multiply(down, below));
                if (streams && at == channel)
                    TSimd.StreamStorage(to + at, value);
                else
                    TSimd.StoreStorage(to + at, value);
            }
            to += result.ColumnStride;
        }
    }

    // A row that is written past the caches is put together in the cache first.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Plane(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in JoinedRange rows,
        in Workspace workspace,
        bool streams)
    {
        (int image, int channel) = Math.DivRem(rows.Image, parameters.Channels);
        int output = parameters.Columns.Output;
        int last = -1;
        for (int row = rows.First; row < rows.End; row++)
        {
            var place = TSampling.Locate(in parameters.Rows, row);
            TStorage* target = result.At(image, channel, row, 0);
            TStorage* to = streams ? workspace.Row : target;
            TStorage* upper = source.At(image, channel, place.Low, 0);
            if (TSampling.Blends)
            {
                TStorage* lower = source.At(image, channel, place.High, 0);
                T down = SampleTable<T>.FractionOf(in place);
                BlendRows(upper, lower, source.ColumnStride, down, workspace.Blended, parameters.Columns.Input);
                BlendColumns(to, result.ColumnStride, in workspace, in parameters.Columns);
            }
            else if (!streams || place.Low != last)
            {
                // A streamed row is still there for the next one, if that is the same.
                CopyColumns(upper, source.ColumnStride, to, result.ColumnStride, in workspace, output);
                last = place.Low;
            }
            if (streams)
                StreamingStores.Copy((byte*)to, (byte*)target, (long)output * sizeof(TStorage));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyColumns(
        TStorage* from, nint sourceStride, TStorage* to, nint resultStride, in Workspace workspace, int count)
    {
        if (sourceStride == 1 && resultStride == 1 && workspace.IsDoubled)
        {
            StridedCopy.Interleave(from, from, to, count / 2);
            return;
        }
        for (int column = 0; column < count; column++)
            to[column * resultStride] = from[workspace.Columns.Low[column] * sourceStride];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlendRows(TStorage* upper, TStorage* lower, nint stride, T down, T* blended, int count)
    {
        int lanes = TSimd.Lanes;
        int column = 0;
        if (stride == 1)
        {
            var lowerShare = TSimd.Broadcast(down);
            var upperShare = TSimd.Broadcast(T.One - down);
            for (; column + lanes <= count; column += lanes)
            {
                var below = TSimd.Multiply(lowerShare, TSimd.LoadStorage(lower + column));
                TSimd.Store(
                    blended + column, TSimd.MultiplyAdd(upperShare, TSimd.LoadStorage(upper + column), below));
            }
        }
        for (; column < count; column++)
        {
            blended[column] = (T.One - down) * TSimd.Widen(upper[column * stride])
                + down * TSimd.Widen(lower[column * stride]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlendColumns(TStorage* to, nint stride, in Workspace workspace, in SampleAxis axis)
    {
        T* blended = workspace.Blended;
        if (workspace.IsDoubled && stride == 1)
        {
            PlanarDoubling<TSimd, TStorage, T, TVector>.Expand(
                blended, workspace.Even, workspace.Odd, to, axis.Input);
            return;
        }
        for (int column = 0; column < axis.Output; column++)
        {
            T across = workspace.Columns.Fraction[column];
            T value = (T.One - across) * blended[workspace.Columns.Low[column]]
                + across * blended[workspace.Columns.High[column]];
            to[column * stride] = TSimd.Narrow(value);
        }
    }

    private readonly ref struct Workspace
    {
        public readonly bool IsDoubled;
        public readonly SampleTable<T> Columns;
        public readonly T* Blended;
        public readonly T* Even;
        public readonly T* Odd;
        public readonly TStorage* Row;

        public Workspace(ref ScratchAllocator scratch, in InterpolationParameters<TStorage> parameters)
        {
            int lanes = TSimd.Lanes;
            IsDoubled = PlanarDoubling.Fits(in parameters.Columns);
            Columns = new(ref scratch, in parameters.Columns);
            Blended = scratch.Take<T>(parameters.Columns.Input);
            Even = scratch.Take<T>(parameters.Columns.Input + lanes);
            Odd = scratch.Take<T>(parameters.Columns.Input + lanes);
            Row = scratch.Take<TStorage>(parameters.Columns.Output);
        }
    }
}
