using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The mean of the weights of all heads on the CPU. A tile is some rows; the lanes are neighbouring taps of a query in
/// channels-last maps, in others neighbouring queries of a tap.
/// </summary>
internal readonly unsafe struct HeadMeanProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<WindowWeightsParameters<TStorage, TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int ValuesPerTile = 1 << 15;

    public static long TileCount(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        Tiling(in parameters).Count(parameters.Extent.Batch);

    public static double Operations(in WindowWeightsParameters<TStorage, TStorage> parameters) =>
        2.0 * parameters.Extent.Batch * parameters.Heads * parameters.Taps
            * parameters.Extent.Rows.Queries * parameters.Extent.Columns.Queries;

    public static long ScratchBytes(in WindowWeightsParameters<TStorage, TStorage> parameters) => 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in WindowWeightsParameters<TStorage, TStorage> parameters, long tile, byte* scratch)
    {
        var rows = Tiling(in parameters)[tile];
        int taps = parameters.Taps;
        int columns = parameters.Extent.Columns.Queries;
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<TStorage>(in parameters.Result);
        nint head = taps * source.ChannelStride;
        bool overTaps = source.IsChannelsLast && result.IsChannelsLast;
        for (int row = rows.First; row < rows.End; row++)
        {
            for (int run = 0; run < (overTaps ? columns : taps); run++)
            {
                TStorage* from = source.At(rows.Image, overTaps ? 0 : run, row, overTaps ? run : 0);
                TStorage* to = result.At(rows.Image, overTaps ? 0 : run, row, overTaps ? run : 0);
                if (overTaps)
                    Average(from, 1, head, parameters.Heads, to, 1, taps);
                else
                    Average(from, source.ColumnStride, head, parameters.Heads, to, result.ColumnStride, columns);
            }
        }
    }

    private static RowTiling Tiling(in WindowWeightsParameters<TStorage, TStorage> parameters) => new(
        parameters.Extent.Rows.Queries,
        (long)parameters.Extent.Columns.Queries * parameters.Taps * parameters.Heads,
        ValuesPerTile);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Average(
        TStorage* source, nint stride, nint headStride, int heads, TStorage* result, nint resultStride, int count)
    {
        int lanes = TSimd.Lanes;
        int i = 0;
        if (stride == 1 && resultStride == 1)
        {
            var divisor = TSimd.Constant(heads);
            for (; i + lanes <= count; i += lanes)
            {
                var sum = TSimd.Constant(0.0);
                for (int head = 0; head < heads; head++)
                    sum = TSimd.Add(sum, TSimd.LoadStorage(source + i + head * headStride));
                TSimd.StoreStorage(result + i, TSimd.Divide(sum, divisor));
            }
        }
        for (; i < count; i++)
        {
            TReal sum = TReal.Zero;
            for (int head = 0; head < heads; head++)
                sum += TSimd.Widen(source[i * stride + head * headStride]);
            result[i * resultStride] = TSimd.Narrow(sum / TReal.CreateTruncating(heads));
        }
    }
}
