using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A backward of cross-resolution attention on the CPU. A tile is a band of output rows, whose rectangles of queries, with every
/// set of weights, a thread takes one after the other: the results of the queries are written, those of the cells
/// are summed in memory of the band. <see cref="CrossCellsProgram{TSimd, TStorage, TReal, TVector}"/> adds the bands, so that
/// the order of all sums is fixed.
/// </summary>
internal readonly unsafe struct CrossAttentionGradientProgram<TSimd, TStorage, TReal, TVector, TStep>
    : ITileProgram<CrossAttentionParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TStep : struct, ICrossGradientStep<TSimd, TStorage, TReal, TVector>
{
    public static long TileCount(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        (long)parameters.ImageCount * parameters.BandCount;

    public static long ScratchBytes(in CrossAttentionParameters<TStorage, TReal> parameters)
    {
        var allocator = new ScratchAllocator(null);
        _ = new CrossScratch<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters, TStep.Pass, TStep.HasSlopes);
        return allocator.Used;
    }

    public static double Operations(in CrossAttentionParameters<TStorage, TReal> parameters) =>
        TStep.Products * CrossWork.Pairs(in parameters)
            * (parameters.Extent.HeadsOfSet * (parameters.Extent.KeyChannels + 8.0) + parameters.Extent.ValueChannels);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in CrossAttentionParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var memory = new CrossScratch<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters, TStep.Pass, TStep.HasSlopes);
        (long image, long number) = Math.DivRem(tile, parameters.BandCount);
        int sets = parameters.Extent.WeightSets;
        var band = CrossBand.Read(parameters.Bands, (int)number);
        for (int set = 0; set < sets; set++)
            Sums(in parameters, image, set, number, in band).Clear(band.EndRow - band.FirstRow);
        int columnTiles = (int)parameters.ColumnTiles.Length - 1;
        long perImage = CrossWork.TilesOfMap(in parameters) * sets;
        long first = (parameters.FirstImage + image) * perImage + (long)band.FirstTile * columnTiles * sets;
        long end = first
            + (long)(CrossBand.Read(parameters.Bands, (int)number + 1).FirstTile - band.FirstTile) * columnTiles * sets;
        for (long at = first; at < end; at++)
        {
            var whole = CrossWork.TileOf(in parameters, at);
            if (at + sets < end)
            {
                var next = CrossWork.TileOf(in parameters, at + sets);
                CrossStaging<TSimd, TStorage, TReal, TVector>.PrefetchQueries(
                    in parameters.Query, in next, parameters.Extent.HeadsOfSet * parameters.Extent.KeyChannels);
                CrossStaging<TSimd, TStorage, TReal, TVector>.PrefetchQueries(
                    in parameters.GradOutput, in next, parameters.Extent.ValueChannels);
            }
            var maps = new CrossMaps<TStorage, TReal>(in parameters, whole.Set);
            Run(in parameters, in whole, in maps, in memory, Sums(in parameters, image, whole.Set, number, in band));
        }
    }

    private static CrossSums<TStorage, TReal> Sums(
        in CrossAttentionParameters<TStorage, TReal> parameters, long image, int set, long number, in CrossBand band) => new(
        in parameters,
        (image * parameters.Extent.WeightSets + set) * parameters.BandCount + number,
        band.FirstRow);

    // The weight 0 of a pair that is not seen must not meet what is not finite: queries of different ranges apart where there are some.
    private static void Run(
        in CrossAttentionParameters<TStorage, TReal> parameters,
        in CrossTile whole,
        in CrossMaps<TStorage, TReal> maps,
        in CrossScratch<TSimd, TStorage, TReal, TVector> scratch,
        in CrossSums<TStorage, TReal> sums)
    {
        if (!whole.IsMasked || maps.AllStaysFinite<TSimd, TVector>(in parameters, in whole))
        {
            TStep.Run(in parameters, in whole, in maps, in scratch, in sums);
            return;
        }
        int row = whole.Row;
        int column = whole.Column;
        while (whole.NextPart(in parameters, ref row, ref column, out var part))
            TStep.Run(in parameters, in part, in maps, in scratch, in sums);
    }
}
