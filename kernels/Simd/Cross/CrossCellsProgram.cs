using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>Adds the sums of the bands, in their order, and writes the gradients of the cells. A tile is a row of cells.</summary>
internal readonly unsafe struct CrossCellsProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<CrossAttentionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    public static long TileCount(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (long)parameters.ImageCount * parameters.Extent.Height;

    public static long ScratchBytes(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (long)parameters.Extent.Width * Stride(in parameters) * sizeof(TReal);

    public static double Operations(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (double)parameters.ImageCount * parameters.Extent.WeightSets * parameters.BandCount * parameters.BandCellRows
            * parameters.Extent.Width * CrossSums<TStorage, TReal>.Stride(in parameters.Extent);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        (long image, long row) = Math.DivRem(tile, parameters.Extent.Height);
        var span = new PixelSpan
        {
            Image = parameters.FirstImage + (int)image,
            Row = (int)row,
            Column = 0,
            Count = parameters.Extent.Width,
        };
        int sets = parameters.Extent.WeightSets;
        int keyChannels = CrossSums<TStorage, TReal>.ValueOf(in parameters.Extent);
        int valueChannels = parameters.Extent.ValueChannels;
        for (int set = 0; set < sets; set++)
        {
            Write(in parameters, in span, set, keyChannels, 0, new(in parameters.KeyResult, set * keyChannels), scratch);
            Write(
                in parameters, in span, set, valueChannels, keyChannels, new(in parameters.ValueResult, set * valueChannels), scratch);
        }
        if (parameters.BiasResult.Data.Length == 0)
            return;
        var sums = (TReal*)scratch;
        new Span<TReal>(sums, span.Count).Clear();
        for (int set = 0; set < sets; set++)
            Add(in parameters, in span, set, 1, keyChannels + valueChannels, sums, 1);
        var bias = new MapPointer<TStorage>(in parameters.BiasResult);
        for (int column = 0; column < span.Count; column++)
            *bias.At(span.Image, 0, span.Row, column) = TSimd.Narrow(sums[column]);
    }

    private static int Stride(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        PixelRows<TSimd, TStorage, TReal, TVector>.Stride(
            Math.Max(CrossSums<TStorage, TReal>.ValueOf(in parameters.Extent), parameters.Extent.ValueChannels));

    private static void Write(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in PixelSpan span,
        int set,
        int channels,
        int from,
        in MapPointer<TStorage> map,
        byte* scratch)
    {
        if (map.IsEmpty)
            return;
        int stride = Stride(in parameters);
        var sums = (TReal*)scratch;
        new Span<TReal>(sums, span.Count * stride).Clear();
        Add(in parameters, in span, set, channels, from, sums, stride);
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(sums, stride, in map, in span, channels);
    }

    private static void Add(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in PixelSpan span,
        int set,
        int channels,
        int from,
        TReal* totals,
        int stride)
    {
        long image = span.Image - parameters.FirstImage;
        long unit = (image * parameters.Extent.WeightSets + set) * parameters.BandCount;
        for (int number = 0; number < parameters.BandCount; number++)
        {
            var band = CrossBand.Read(parameters.Bands, number);
            if (span.Row < band.FirstRow || span.Row >= band.EndRow)
                continue;
            var sums = new CrossSums<TStorage, TReal>(in parameters, unit + number, band.FirstRow);
            for (int column = 0; column < span.Count; column++)
                AddRow(sums.At(span.Row, column, from), totals + (nint)column * stride, channels);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow(TReal* values, TReal* totals, int channels)
    {
        int channel = 0;
        for (; channel + TSimd.Lanes <= channels; channel += TSimd.Lanes)
            TSimd.Store(totals + channel, TSimd.Add(TSimd.Load(totals + channel), TSimd.Load(values + channel)));
        for (; channel < channels; channel++)
            totals[channel] += values[channel];
    }
}
