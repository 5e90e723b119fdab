using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The copy of a map into another element type or another order on the CPU. A tile is some rows of the result; between
/// two formats they are transposed block by block, otherwise whole runs are copied.
/// </summary>
/// <typeparam name="TSourceSimd">The vector arithmetic of the source.</typeparam>
/// <typeparam name="TSource">The type of the source.</typeparam>
/// <typeparam name="TResultSimd">The vector arithmetic of the result.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
/// <typeparam name="TReal">The type of the arithmetic.</typeparam>
/// <typeparam name="TVector">A vector of <typeparamref name="TReal"/>.</typeparam>
internal readonly unsafe struct CopyProgram<TSourceSimd, TSource, TResultSimd, TResult, TReal, TVector>
    : ITileProgram<ConversionParameters<TSource, TResult>>
    where TSourceSimd : struct, ISimd<TSource, TReal, TVector>
    where TSource : unmanaged
    where TResultSimd : struct, ISimd<TResult, TReal, TVector>
    where TResult : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int ValuesPerTile = 1 << 16;
    private const int Block = 64;

    public static long TileCount(in ConversionParameters<TSource, TResult> parameters) => Tiling(in parameters).Count;

    public static double Operations(in ConversionParameters<TSource, TResult> parameters) =>
        2.0 * parameters.Batch * parameters.Channels * parameters.Height * parameters.Width;

    public static long ScratchBytes(in ConversionParameters<TSource, TResult> parameters) => Block * Block * sizeof(TReal);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in ConversionParameters<TSource, TResult> parameters, long tile, byte* scratch)
    {
        var source = new MapPointer<TSource>(in parameters.Source);
        var result = new MapPointer<TResult>(in parameters.Result);
        bool accumulates = parameters.Accumulate != 0;
        bool streams = !accumulates && StreamingStores.IsWorthwhile<TResult>(
            (long)parameters.Batch * parameters.Channels * parameters.Height * parameters.Width);
        var tiling = Tiling(in parameters);
        var rows = tiling.Begin(tile);
        while (tiling.Next(ref rows))
        {
            if (parameters.Scale > 1)
                Shuffle(in parameters, in source, in result, in rows, accumulates);
            else if (IsPlanar(in parameters))
                CopyPlane(in parameters, in source, in result, in rows, accumulates, streams);
            else if (source.ChannelStride == 1 && result.ChannelStride == 1)
                CopyPixels(in parameters, in source, in result, in rows, accumulates, streams);
            else
                Transpose(in parameters, in source, in result, in rows, accumulates, (TReal*)scratch);
        }
        if (streams)
            StreamingStores.Complete();
    }

    // Contiguous maps are cut one after the other, other maps into rows of all channels.
    private static JoinedRows Tiling(in ConversionParameters<TSource, TResult> parameters)
    {
        int channels = IsPlanar(in parameters) ? 1 : parameters.Channels;
        return new(
            (long)parameters.Batch * parameters.Channels / channels,
            parameters.Height,
            (long)parameters.Width * channels,
            ValuesPerTile);
    }

    private static bool IsPlanar(in ConversionParameters<TSource, TResult> parameters) =>
        parameters.Scale == 1 && parameters.Source.ColumnStride == 1 && parameters.Result.ColumnStride == 1;

    private static void CopyPlane(
        in ConversionParameters<TSource, TResult> parameters,
        in MapPointer<TSource> source,
        in MapPointer<TResult> result,
        in JoinedRange rows,
        bool accumulates,
        bool streams)
    {
        (int image, int channel) = Math.DivRem(rows.Image, parameters.Channels);
        bool whole = source.RowStride == parameters.Width && result.RowStride == parameters.Width;
        int runs = whole ? 1 : rows.End - rows.First;
        long length = whole ? (long)(rows.End - rows.First) * parameters.Width : parameters.Width;
        var writer = default(StreamingWriter);
        for (int run = 0; run < runs; run++)
        {
            Run(
                source.At(image, channel, rows.First + run, 0),
                result.At(image, channel, rows.First + run, 0),
                length,
                accumulates,
                streams,
                ref writer);
        }
        writer.Finish();
    }

    private static void CopyPixels(
        in ConversionParameters<TSource, TResult> parameters,
        in MapPointer<TSource> source,
        in MapPointer<TResult> result,
        in JoinedRange rows,
        bool accumulates,
        bool streams)
    {
        bool whole = source.ColumnStride == parameters.Channels && result.ColumnStride == parameters.Channels;
        int runs = whole ? 1 : parameters.Width;
        long length = whole ? (long)parameters.Width * parameters.Channels : parameters.Channels;
        var writer = default(StreamingWriter);
        for (int row = rows.First; row < rows.End; row++)
        {
            for (int column = 0; column < runs; column++)
            {
                Run(
                    source.At(rows.Image, 0, row, column),
                    result.At(rows.Image, 0, row, column),
                    length,
                    accumulates,
                    streams,
                    ref writer);
            }
        }
        writer.Finish();
    }

    // From one format to the other; blocks are small enough for the cache, however far the rows of a matrix lie apart.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(
        in ConversionParameters<TSource, TResult> parameters,
        in MapPointer<TSource> source,
        in MapPointer<TResult> result,
        in JoinedRange rows,
        bool accumulates,
        TReal* block)
    {
        bool fromPixels = source.ChannelStride == 1;
        for (int row = rows.First; row < rows.End; row++)
        {
            for (int channel = 0; channel < parameters.Channels; channel += Block)
            {
                int channels = Math.Min(Block, parameters.Channels - channel);
                for (int column = 0; column < parameters.Width; column += Block)
                {
                    int columns = Math.Min(Block, parameters.Width - column);
                    TSource* from = source.At(rows.Image, channel, row, column);
                    TResult* to = result.At(rows.Image, channel, row, column);
                    if (fromPixels)
                    {
                        TransposeBlock(
                            from, source.ColumnStride, to, result.ChannelStride, columns, channels, accumulates, block);
                    }
                    else
                    {
                        TransposeBlock(
                            from, source.ChannelStride, to, result.ColumnStride, channels, columns, accumulates, block);
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeBlock(
        TSource* source, nint sourceStride, TResult* result, nint resultStride, int rows, int columns, bool accumulates, TReal* block)
    {
        if (typeof(TSource) == typeof(TResult) && !accumulates)
        {
            Transposition.Run(
                source, sourceStride, (TSource*)result, resultStride, rows, columns, TSourceSimd.Lanes * sizeof(TReal));
            return;
        }
        TSourceSimd.Transpose(source, sourceStride, block, Block, rows, columns);
        for (int column = 0; column < columns; column++)
            Write(block + column * Block, result + column * resultStride, rows, accumulates);
    }

    // A pixel shuffle copies runs of which one side is not contiguous.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shuffle(
        in ConversionParameters<TSource, TResult> parameters,
        in MapPointer<TSource> source,
        in MapPointer<TResult> result,
        in JoinedRange rows,
        bool accumulates)
    {
        int scale = parameters.Scale;
        for (int row = rows.First; row < rows.End; row++)
        {
            for (int channel = 0; channel < parameters.Channels; channel++)
            {
                if (parameters.Inverse != 0)
                {
                    int position = channel % (scale * scale);
                    Strided(
                        source.At(
                            rows.Image, channel / (scale * scale), row * scale + position / scale, position % scale),
                        scale * source.ColumnStride,
                        result.At(rows.Image, channel, row, 0),
                        result.ColumnStride,
                        parameters.Width,
                        accumulates);
                    continue;
                }
                for (int part = 0; part < scale; part++)
                {
                    Strided(
                        source.At(rows.Image, (channel * scale + row % scale) * scale + part, row / scale, 0),
                        source.ColumnStride,
                        result.At(rows.Image, channel, row, part),
                        scale * result.ColumnStride,
                        parameters.Width / scale,
                        accumulates);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Strided(
        TSource* source, nint sourceStride, TResult* result, nint resultStride, int count, bool accumulates)
    {
        for (int i = 0; i < count; i++)
        {
            TResult* to = result + i * resultStride;
            if (typeof(TSource) == typeof(TResult) && !accumulates)
            {
                *to = Unsafe.BitCast<TSource, TResult>(source[i * sourceStride]);
                continue;
            }
            TReal value = TSourceSimd.Widen(source[i * sourceStride]);
            *to = TResultSimd.Narrow(accumulates ? value + TResultSimd.Widen(*to) : value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(
        TSource* source, TResult* result, long count, bool accumulates, bool streams, ref StreamingWriter writer)
    {
        if (typeof(TSource) == typeof(TResult) && !accumulates)
        {
            if (streams)
                writer.Write((byte*)source, (byte*)result, count * sizeof(TResult));
            else
                Buffer.MemoryCopy(source, result, count * sizeof(TResult), count * sizeof(TResult));
            return;
        }
        int lanes = TSourceSimd.Lanes;
        long i = 0;
        for (; i + lanes <= count; i += lanes)
        {
            var value = TSourceSimd.LoadStorage(source + i);
            if (accumulates)
                value = TSourceSimd.Add(value, TResultSimd.LoadStorage(result + i));
            TResultSimd.StoreStorage(result + i, value);
        }
        for (; i < count; i++)
        {
            TReal value = TSourceSimd.Widen(source[i]);
            result[i] = TResultSimd.Narrow(accumulates ? value + TResultSimd.Widen(result[i]) : value);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Write(TReal* source, TResult* result, int count, bool accumulates)
    {
        int lanes = TResultSimd.Lanes;
        int i = 0;
        for (; i + lanes <= count; i += lanes)
        {
            var value = TResultSimd.Load(source + i);
            if (accumulates)
                value = TResultSimd.Add(value, TResultSimd.LoadStorage(result + i));
            TResultSimd.StoreStorage(result + i, value);
        }
        for (; i < count; i++)
            result[i] = TResultSimd.Narrow(accumulates ? source[i] + TResultSimd.Widen(result[i]) : source[i]);
    }
}
