using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>The maps of a problem, those with channels of heads from the first channel of a set of weights on.</summary>
internal readonly struct CrossMaps<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
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
        CellsAreFinite<TSimd, TVector>(in Value, in tile, parameters.Extent.ValueChannels);

    /// <summary>Whether all maps of a tile that are multiplied with weights and gradients are finite.</summary>
    public bool AllAreFinite<TSimd, TVector>(
        in CrossAttentionParameters<TStorage, TReal> parameters, in CrossTile tile)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct
    {
        int keyChannels = parameters.Extent.HeadsOfSet * parameters.Extent.KeyChannels;
        int valueChannels = parameters.Extent.ValueChannels;
        int firstKey = FirstHead * parameters.Extent.KeyChannels;
        if (!CellsAreFinite<TSimd, TVector>(in Key, in tile, keyChannels)
            || !CellsAreFinite<TSimd, TVector>(in Value, in tile, valueChannels)
            || !QueriesAreFinite<TSimd, TVector>(new(in parameters.Query, firstKey), in tile, keyChannels)
            || !QueriesAreFinite<TSimd, TVector>(in GradOutput, in tile, valueChannels))
        {
            return false;
        }
        return Skips(parameters.KeyDirection) || CellsAreFinite<TSimd, TVector>(in KeyDirection, in tile, keyChannels)
            && CellsAreFinite<TSimd, TVector>(in ValueDirection, in tile, valueChannels)
            && QueriesAreFinite<TSimd, TVector>(new(in parameters.QueryDirection, firstKey), in tile, keyChannels);
    }

    private static bool Skips(in MapView<TStorage> map) => map.Data.Length == 0;

    private static bool CellsAreFinite<TSimd, TVector>(in MapPointer<TStorage> map, in CrossTile tile, int channels)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct => CrossStaging<TSimd, TStorage, TReal, TVector>.IsFinite(
            in map, channels, tile.Image, tile.FirstCellRow, tile.CellRows, tile.FirstCellColumn, tile.CellColumns);

    private static bool QueriesAreFinite<TSimd, TVector>(in MapPointer<TStorage> map, in CrossTile tile, int channels)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TVector : struct => CrossStaging<TSimd, TStorage, TReal, TVector>.IsFinite(
            in map, channels, tile.Image, tile.Row, tile.Rows, tile.Column, tile.Columns);
}
