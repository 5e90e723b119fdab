using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>Which problems of cross-resolution attention the programs on tiles of queries take.</summary>
internal static class CrossTileChoice
{
    // Below, single pairs are no more work than the tiles that they are spread over.
    private const double LeastDensity = 1.0 / 16;

    // Groups that keep a large device busy, and the parts of the queries that they may take.
    private const int WantedGroups = 512;
    private const int MostSplits = 16;

    /// <summary>
    /// Chooses tiles for softmax in single precision where ranges repeat no edge and tiles have enough that is seen, and matrix
    /// units where they suit the maps.
    /// </summary>
    public static KernelVariant Apply<TElement, TReal>(
        KernelVariant variant,
        in CrossExtent extent,
        in CrossOperands operands,
        params ReadOnlySpan<FeatureMap> others)
    {
        var device = operands.Query.Device;
        ReadOnlySpan<FeatureMap?> maps = [operands.Query, operands.Key, operands.Value, .. others];
        if (!device.RunsCellPairs
            || typeof(TReal) != typeof(float)
            || operands.Normalisation != ScoreNormalisation.Softmax
            || operands.Ranges.RepeatsEdges
            || !MapAccess.HasShortPositions(maps, variant.ValueVectors)
            || operands.Ranges.Plan.Density < LeastDensity)
        {
            return variant;
        }
        bool usesMatrices = device.Backend.HasMatrixUnits
            && extent.KeyChannels % MatrixRound.Channels == 0
            && extent.ValueChannels % MatrixRound.Channels == 0
            && MapAccess.SuitsMatrices(maps, variant.ValueVectors);
        return variant with
        {
            Tiles = extent.AveragesHeads != 0 ? TileChoice.AveragedHeads : TileChoice.SplitHeads,
            Matrix = usesMatrices ? MapAccess.MatrixOf<TElement>() : MatrixChoice.None,
        };
    }

    /// <summary>
    /// Into how many parts the queries that see a tile of cells are divided. The batch has no say in it, so that an image has the
    /// same bits in any company.
    /// </summary>
    public static int Splits<TCoefficient>(in CrossExtent extent)
        where TCoefficient : struct, ICrossCoefficient
    {
        int parts = CrossParts.Count<TCoefficient>(in extent);
        int passes = (CrossParts.Channels<TCoefficient>(in extent) + CrossTile.Channels - 1) / CrossTile.Channels;
        var alone = extent with { Batch = 1 };
        long groups = CrossCellTile.GroupCount(in alone, parts, passes, splits: 1);
        return (int)Math.Clamp((WantedGroups + groups - 1) / groups, 1, MostSplits);
    }
}
