using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Interpolation on the CPU. Channels-last maps have the lanes over channels, a tile being some rows of the output;
/// other maps are worked plane by plane: two rows are blended with the lanes over columns, then the columns.
/// </summary>
internal readonly unsafe struct InterpolationProgram<TSimd, TStorage, TReal, TVector, TSampling>
    : ITileProgram<InterpolationParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TSampling : struct, ISampling
{
    private const int ValuesPerTile = 1 << 15;

    // Of rows that are put together before they are written, with space beside them in the first-level cache.
    private const int StagedBytes = 4 << 10;

    public static long TileCount(in InterpolationParameters<TStorage> parameters) => Tiling(in parameters).Count;

    public static double Operations(in InterpolationParameters<TStorage> parameters) =>
        8.0 * parameters.Batch * parameters.Channels * parameters.Rows.Output * parameters.Columns.Output;

    public static long ScratchBytes(in InterpolationParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    public static void Begin(in InterpolationParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        workspace.Rows.Fill<TSampling>(in parameters.Rows);
        workspace.Columns.Fill<TSampling>(in parameters.Columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in InterpolationParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<TStorage>(in parameters.Result);
        bool overChannels = IsOverChannels(in parameters);
        bool streams = StreamingStores.IsWorthwhile<TStorage>(
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
            if (TSampling.Blends)
                BlendPixels(in parameters, in source, in result, in workspace, rows.Image, row, streams);
            else
                CopyPixels(in parameters, in source, in result, in workspace, rows.Image, row, streams);
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
        bool streams)
    {
        TStorage* from = source.At(image, 0, workspace.Rows.Low[row], 0);
        TStorage* to = result.At(image, 0, row, 0);
        long bytes = (long)parameters.Channels * sizeof(TStorage);
        var writer = default(StreamingWriter);
        for (int column = 0; column < parameters.Columns.Output; column++)
        {
            TStorage* pixel = from + workspace.Columns.Low[column] * source.ColumnStride;
            if (streams)
                writer.Write((byte*)pixel, (byte*)to, bytes);
            else
                Buffer.MemoryCopy(pixel, to, bytes, bytes);
            to += result.ColumnStride;
        }
        writer.Finish();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlendPixels(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in Workspace workspace,
        int image,
        int row,
        bool streams)
    {
        int channels = parameters.Channels;
        TStorage* upper = source.At(image, 0, workspace.Rows.Low[row], 0);
        TStorage* lower = source.At(image, 0, workspace.Rows.High[row], 0);
        TStorage* to = result.At(image, 0, row, 0);
        TReal down = workspace.Rows.Fraction[row];
        var held = HeldNeighbours.None;
        for (int column = 0; column < parameters.Columns.Output; column++)
        {
            int low = workspace.Columns.Low[column];
            int high = workspace.Columns.High[column];
            if (held.Take(low))
                BlendPixel(upper, lower, low * source.ColumnStride, down, workspace.Pixel(low), channels);
            if (held.Take(high))
                BlendPixel(upper, lower, high * source.ColumnStride, down, workspace.Pixel(high), channels);
            BlendNeighbours(
                workspace.Pixel(low), workspace.Pixel(high), workspace.Columns.Fraction[column], to, channels, streams);
            to += result.ColumnStride;
        }
    }

    // A pixel between two rows; the last vector overlaps the one before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BlendPixel(
        TStorage* upper, TStorage* lower, nint offset, TReal down, TReal* blended, int channels)
    {
        int lanes = TSimd.Lanes;
        var lowerWeight = TSimd.Broadcast(down);
        var upperWeight = TSimd.Broadcast(TReal.One - down);
        upper += offset;
        lower += offset;
        for (int channel = 0; channel < channels; channel += lanes)
        {
            int at = Math.Min(channel, channels - lanes);
            var below = TSimd.Multiply(lowerWeight, TSimd.LoadStorage(lower + at));
            TSimd.Store(blended + at, TSimd.MultiplyAdd(upperWeight, TSimd.LoadStorage(upper + at), below));
        }
    }

    // A pixel between two that were blended; the last vector overlaps the one before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void BlendNeighbours(
        TReal* left, TReal* right, TReal across, TStorage* to, int channels, bool streams)
    {
        int lanes = TSimd.Lanes;
        var leftWeight = TSimd.Broadcast(TReal.One - across);
        var rightWeight = TSimd.Broadcast(across);
        int channel = 0;
        for (; channel + 2 * lanes <= channels; channel += 2 * lanes)
        {
            var first = Blend(left + channel, right + channel, leftWeight, rightWeight);
            var second = Blend(left + channel + lanes, right + channel + lanes, leftWeight, rightWeight);
            if (streams)
                TSimd.StreamStorage(to + channel, first, second);
            else
                TSimd.StoreStorage(to + channel, first, second);
        }
        if (streams && channel + lanes <= channels)
        {
            TSimd.StreamStorage(to + channel, Blend(left + channel, right + channel, leftWeight, rightWeight));
            channel += lanes;
        }
        for (; channel < channels; channel += lanes)
        {
            int at = Math.Min(channel, channels - lanes);
            TSimd.StoreStorage(to + at, Blend(left + at, right + at, leftWeight, rightWeight));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Blend(TReal* left, TReal* right, TVector leftWeight, TVector rightWeight) =>
        TSimd.MultiplyAdd(leftWeight, TSimd.Load(left), TSimd.Multiply(rightWeight, TSimd.Load(right)));

    // Rows that are written past the caches are put together in the cache first, several where they lie without a gap.
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
        int atOnce = result.RowStride == output ? workspace.StagedRows : 1;
        int staged = 0;
        int last = -1;
        var held = HeldNeighbours.None;
        var writer = default(StreamingWriter);
        for (int row = rows.First; row < rows.End; row++)
        {
            int low = workspace.Rows.Low[row];
            int high = workspace.Rows.High[row];
            TStorage* target = result.At(image, channel, row, 0);
            TStorage* to = streams ? workspace.Staged + staged * output : target;
            TStorage* upper = source.At(image, channel, low, 0);
            if (TSampling.Blends)
            {
                if (held.Take(low))
                    TSimd.Gather(upper, source.ColumnStride, workspace.InputRow(low), parameters.Columns.Input);
                if (held.Take(high))
                {
                    TStorage* lower = source.At(image, channel, high, 0);
                    TSimd.Gather(lower, source.ColumnStride, workspace.InputRow(high), parameters.Columns.Input);
                }
                BlendRows(
                    workspace.InputRow(low),
                    workspace.InputRow(high),
                    workspace.Rows.Fraction[row],
                    workspace.Blended,
                    parameters.Columns.Input);
                BlendColumns(to, result.ColumnStride, in workspace, in parameters.Columns);
            }
            else if (!streams || low != last)
            {
                // A streamed row is still there for the next one, if that is the same.
                CopyColumns(upper, source.ColumnStride, to, result.ColumnStride, in workspace, output);
                last = low;
            }
            if (!streams)
                continue;
            staged++;
            if (staged < atOnce && row + 1 < rows.End)
                continue;
            target -= (staged - 1) * output;
            writer.Write((byte*)workspace.Staged, (byte*)target, (long)staged * output * sizeof(TStorage));
            staged = 0;
        }
        writer.Finish();
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
    private static void BlendRows(TReal* upper, TReal* lower, TReal down, TReal* blended, int count)
    {
        int lanes = TSimd.Lanes;
        if (count < lanes)
        {
            for (int column = 0; column < count; column++)
                blended[column] = (TReal.One - down) * upper[column] + down * lower[column];
            return;
        }
        var upperWeight = TSimd.Broadcast(TReal.One - down);
        var lowerWeight = TSimd.Broadcast(down);
        for (int column = 0; column < count; column += lanes)
        {
            // The last vector overlaps the one before it.
            int at = Math.Min(column, count - lanes);
            TSimd.Store(blended + at, Blend(upper + at, lower + at, upperWeight, lowerWeight));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BlendColumns(TStorage* to, nint stride, in Workspace workspace, in SampleAxis axis)
    {
        TReal* blended = workspace.Blended;
        if (workspace.IsDoubled && stride == 1)
        {
            PlanarDoubling<TSimd, TStorage, TReal, TVector>.Expand(blended, to, axis.Input);
            return;
        }
        for (int column = 0; column < axis.Output; column++)
        {
            TReal across = workspace.Columns.Fraction[column];
            TReal value = (TReal.One - across) * blended[workspace.Columns.Low[column]]
                + across * blended[workspace.Columns.High[column]];
            to[column * stride] = TSimd.Narrow(value);
        }
    }

    // Which input samples lie in scratch memory. Neighbours are never both even or both odd, so that two places are
    // enough.
    private struct HeldNeighbours
    {
        public static HeldNeighbours None => new() { even = -1, odd = -1 };

        private int even;
        private int odd;

        // Whether the sample has to be brought there first.
        public bool Take(int sample)
        {
            ref int held = ref (sample & 1) == 0 ? ref even : ref odd;
            if (held == sample)
                return false;
            held = sample;
            return true;
        }
    }

    private readonly ref struct Workspace
    {
        public readonly bool IsDoubled;
        public readonly SampleTable<TReal> Rows;
        public readonly SampleTable<TReal> Columns;
        public readonly TReal* Blended;
        public readonly TStorage* Staged;
        public readonly int StagedRows;
        private readonly TReal* samples;
        private readonly nint sampleLength;

        public Workspace(ref ScratchAllocator scratch, in InterpolationParameters<TStorage> parameters)
        {
            IsDoubled = PlanarDoubling.Fits(in parameters.Columns);
            Rows = new(ref scratch, in parameters.Rows);
            Columns = new(ref scratch, in parameters.Columns);
            Blended = scratch.Take<TReal>(parameters.Columns.Input + 2L * TSimd.Lanes) + TSimd.Lanes;
            StagedRows = TSampling.Blends
                ? Math.Max(1, StagedBytes / (parameters.Columns.Output * sizeof(TStorage)))
                : 1;
            Staged = scratch.Take<TStorage>((long)StagedRows * parameters.Columns.Output);
            sampleLength = Math.Max(parameters.Channels, parameters.Columns.Input);
            samples = scratch.Take<TReal>(2 * sampleLength);
        }

        // An input column of a row that is blended, all channels.
        public TReal* Pixel(int column) => Sample(column);

        // An input row of a plane.
        public TReal* InputRow(int row) => Sample(row);

        private TReal* Sample(int index) => (index & 1) == 0 ? samples : samples + sampleLength;
    }
}
