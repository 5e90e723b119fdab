using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Which terms of the blended query a program computes.</summary>
internal interface IBlendTerms
{
    /// <summary>
    /// Gets whether the decoder's part is added to that of the encoder; if not, the program is the gradient of the
    /// encoder's part, g·gradient.
    /// </summary>
    static abstract bool AddsDecoder { get; }
}

/// <summary>g·encoder + (1 − g)·decoder.</summary>
internal readonly struct BothTerms : IBlendTerms
{
    public static bool AddsDecoder => true;
}

/// <summary>g·gradient.</summary>
internal readonly struct EncoderTerm : IBlendTerms
{
    public static bool AddsDecoder => false;
}

/// <summary>
/// The blended query, or the gradient of the encoder's part, on the CPU. A tile is some rows of cells with all channels
/// of their queries. Channels-last maps have the lanes over channels; other maps are worked row by row with the lanes
/// over columns, the decoder's row being repeated for the queries once for all of their rows.
/// </summary>
internal readonly unsafe struct QueryBlendProgram<TSimd, TStorage, TReal, TVector, TTerms>
    : ITileProgram<QueryBlendParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TTerms : struct, IBlendTerms
{
    public static long TileCount(in QueryBlendParameters<TStorage> parameters) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.Tiling(in parameters).Count(parameters.Batch);

    public static double Operations(in QueryBlendParameters<TStorage> parameters) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.Operations(in parameters);

    public static long ScratchBytes(in QueryBlendParameters<TStorage> parameters) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.ScratchBytes(in parameters);

    public static void Begin(in QueryBlendParameters<TStorage> parameters, byte* scratch) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.Begin(in parameters, scratch);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in QueryBlendParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new QueryBlendRows<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters);
        var rows = QueryBlendRows<TSimd, TStorage, TReal, TVector>.Tiling(in parameters)[tile];
        var source = new MapPointer<TStorage>(
            in TTerms.AddsDecoder ? ref parameters.Encoder : ref parameters.GradQuery);
        var decoder = new MapPointer<TStorage>(in parameters.Decoder);
        var result = new MapPointer<TStorage>(in parameters.Result);
        bool overChannels = source.IsChannelsLast && result.IsChannelsLast && parameters.Channels >= TSimd.Lanes
            && (!TTerms.AddsDecoder || decoder.IsChannelsLast);
        bool streams = overChannels
            && StreamingStores.IsWorthwhile<TStorage>(
                (long)parameters.Batch * parameters.Channels * parameters.Rows.Queries * parameters.Columns.Queries)
            && StreamingStores.IsAligned(in result, TSimd.Lanes * sizeof(TStorage));
        for (int row = rows.First; row < rows.End; row++)
        {
            workspace.OpenGates(in parameters, rows.Image, row);
            if (overChannels)
                Pixels(in parameters, in source, in decoder, in result, in workspace, rows.Image, row, streams);
            else
                Planes(in parameters, in source, in decoder, in result, in workspace, rows.Image, row);
        }
        if (streams)
            StreamingStores.Complete();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in QueryBlendParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> decoder,
        in MapPointer<TStorage> result,
        in QueryBlendRows<TSimd, TStorage, TReal, TVector> workspace,
        int image,
        int cellRow,
        bool streams)
    {
        int lanes = TSimd.Lanes;
        int channels = parameters.Channels;
        int queries = parameters.Columns.Queries;
        int endRow = parameters.Rows.First(cellRow + 1);
        var columns = workspace.Columns;
        TStorage* cells = decoder.At(image, 0, cellRow, 0);
        for (int row = parameters.Rows.First(cellRow); row < endRow; row++)
        {
            TStorage* from = source.At(image, 0, row, 0);
            TStorage* to = result.At(image, 0, row, 0);
            for (int column = 0; column < queries; column++)
            {
                int cell = columns[column];
                TStorage* own = cells + cell * decoder.ColumnStride;
                var gate = TSimd.Broadcast(workspace.Gates[cell]);
                var rest = TSimd.Broadcast(workspace.Rests[cell]);
                for (int channel = 0; channel < channels; channel += lanes)
                {
                    // The last vector overlaps the one before it.
                    int at = Math.Min(channel, channels - lanes);
                    var value = TSimd.Multiply(gate, TSimd.LoadStorage(from + at));
                    if (TTerms.AddsDecoder)
                        value = TSimd.MultiplyAdd(rest, TSimd.LoadStorage(own + at), value);
                    if (streams && at == channel)
                        TSimd.StreamStorage(to + at, value);
                    else
                        TSimd.StoreStorage(to + at, value);
                }
                from += source.ColumnStride;
                to += result.ColumnStride;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Planes(
        in QueryBlendParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> decoder,
        in MapPointer<TStorage> result,
        in QueryBlendRows<TSimd, TStorage, TReal, TVector> workspace,
        int image,
        int cellRow)
    {
        int firstRow = parameters.Rows.First(cellRow);
        int endRow = parameters.Rows.First(cellRow + 1);
        int queries = parameters.Columns.Queries;
        workspace.Columns.Expand(workspace.Gates, workspace.QueryGates);
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            if (TTerms.AddsDecoder)
                workspace.ExpandDecoder(decoder.At(image, channel, cellRow, 0), decoder.ColumnStride, weighed: true);
            for (int row = firstRow; row < endRow; row++)
            {
                Blend(
                    source.At(image, channel, row, 0),
                    source.ColumnStride,
                    workspace.QueryGates,
                    workspace.Queries,
                    result.At(image, channel, row, 0),
                    result.ColumnStride,
                    queries);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Blend(
        TStorage* source, nint sourceStride, TReal* gates, TReal* addends, TStorage* result, nint resultStride, int count)
    {
        int lanes = TSimd.Lanes;
        int column = 0;
        if (sourceStride == 1 && resultStride == 1)
        {
            for (; column + lanes <= count; column += lanes)
            {
                var gate = TSimd.Load(gates + column);
                var value = TSimd.LoadStorage(source + column);
                value = TTerms.AddsDecoder
                    ? TSimd.MultiplyAdd(gate, value, TSimd.Load(addends + column))
                    : TSimd.Multiply(gate, value);
                TSimd.StoreStorage(result + column, value);
            }
        }
        for (; column < count; column++)
        {
            TReal value = gates[column] * TSimd.Widen(source[column * sourceStride]);
            if (TTerms.AddsDecoder)
                value += addends[column];
            result[column * resultStride] = TSimd.Narrow(value);
        }
    }
}
