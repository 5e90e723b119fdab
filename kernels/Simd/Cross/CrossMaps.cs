using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The maps of a problem, those with channels of heads from the first channel of a set of weights on.</summary>
internal readonly unsafe struct CrossMaps<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const double LargestScale = 1 << 8;

    public readonly int FirstHead;
    public readonly MapPointer<TStorage> Key;
    public readonly MapPointer<TStorage> KeyDirection;
    public readonly MapPointer<TStorage> Value;
    public readonly MapPointer<TStorage> ValueDirection;
    public readonly MapPointer<TStorage> GradOutput;
    public readonly MapPointer<TStorage> OutputResult;

    public CrossMaps(in CrossAttentionParameters<TStorage, TReal> parameters, int set)
    {
        FirstHead = set * parameters.Extent.HeadsOfSet;
        int key = FirstHead * parameters.Extent.KeyChannels;
        int value = set * parameters.Extent.ValueChannels;
        Key = new(in parameters.Key, key);
        KeyDirection = new(in parameters.KeyDirection, key);
        Value = new(in parameters.Value, value);
        ValueDirection = new(in parameters.ValueDirection, value);
        GradOutput = new(in parameters.GradOutput, value);
        OutputResult = new(in parameters.OutputResult, value);
    }

    /// <summary>Whether the values of the cells of a tile are finite.</summary>
    public bool ValuesAreFinite<TSimd, TVector>(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossTile tile)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct =>
        CellsAreFinite<TSimd, TVector>(in Value, in tile, parameters.Extent.ValueChannels, TReal.One);

    /// <summary>
    /// Whether all that a backward computes of a tile is finite, also of pairs that are not seen: the statistics are, the sums of
    /// products of four numbers of the maps, the most that it multiplies, surely too.
    /// </summary>
    public bool AllStaysFinite<TSimd, TVector>(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossTile tile)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct
    {
        // Up to 2¹⁶ in single precision, with sums over 2²⁴ channels and a scale of 2⁸; up to 2²³⁰ in double precision.
        if (TReal.Abs(parameters.Scale) > TReal.CreateTruncating(LargestScale))
            return false;
        bool isDouble = typeof(TReal) == typeof(double);
        var factor = TReal.CreateTruncating(Math.ScaleB(1, isDouble ? 1024 - 230 : 128 - 16));
        int keyChannels = parameters.Extent.HeadsOfSet * parameters.Extent.KeyChannels;
        int valueChannels = parameters.Extent.ValueChannels;
        int firstKey = FirstHead * parameters.Extent.KeyChannels;
        if (!StatisticsAreFinite(in parameters, in tile)
            || !CellsAreFinite<TSimd, TVector>(in Key, in tile, keyChannels, factor)
            || !CellsAreFinite<TSimd, TVector>(in Value, in tile, valueChannels, factor)
            || !QueriesAreFinite<TSimd, TVector>(new(in parameters.Query, firstKey), in tile, keyChannels, factor)
            || !QueriesAreFinite<TSimd, TVector>(in GradOutput, in tile, valueChannels, factor))
        {
            return false;
        }
        if (Skips(parameters.KeyDirection))
            return true;
        return CellsAreFinite<TSimd, TVector>(in KeyDirection, in tile, keyChannels, factor)
            && CellsAreFinite<TSimd, TVector>(in ValueDirection, in tile, valueChannels, factor)
            && QueriesAreFinite<TSimd, TVector>(new(in parameters.QueryDirection, firstKey), in tile, keyChannels, factor)
            && (Skips(parameters.BiasDirection)
                || CellsAreFinite<TSimd, TVector>(new(in parameters.BiasDirection), in tile, 1, factor));
    }

    // A query has a number in none of its weights where a score has none, or is infinite.
    private bool StatisticsAreFinite(in CrossAttentionParameters<TStorage, TReal> parameters, in CrossTile tile)
    {
        var map = new MapPointer<TReal>(in parameters.Statistics);
        int numbers = parameters.HasNormalisers != 0 ? 1 : 2;
        var sum = TReal.Zero;
        for (int number = 0; number < parameters.Extent.HeadsOfSet * numbers; number++)
        {
            for (int row = 0; row < tile.Rows; row++)
            {
                TReal* first = map.At(tile.Image, FirstHead * numbers + number, tile.Row + row, tile.Column);
                for (int column = 0; column < tile.Columns; column++)
                    sum += first[column * map.ColumnStride] * TReal.Zero;
            }
        }
        return sum == TReal.Zero;
    }

    private static bool Skips(in MapView<TStorage> map) => map.Data.Length == 0;

    private static bool CellsAreFinite<TSimd, TVector>(
        in MapPointer<TStorage> map, in CrossTile tile, int channels, TReal factor)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct => CrossStaging<TSimd, TStorage, TReal, TVector>.IsFinite(
            in map, channels, tile.Image, tile.FirstCellRow, tile.CellRows, tile.FirstCellColumn, tile.CellColumns, factor);

    private static bool QueriesAreFinite<TSimd, TVector>(
        in MapPointer<TStorage> map, in CrossTile tile, int channels, TReal factor)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct => CrossStaging<TSimd, TStorage, TReal, TVector>.IsFinite(
            in map, channels, tile.Image, tile.Row, tile.Rows, tile.Column, tile.Columns, factor);
}
