using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Products by the multiply-adds of the threads, on every device and for every type.</summary>
internal readonly struct LaneProducts<TMemory> : ICellPairProducts
    where TMemory : struct, ICellPairMemory
{
    public static int GroupSize<TWindow>()
        where TWindow : struct, IWindow => CellPair.GroupSize<TWindow>();

    public static int StageLength<TWindow, TShape>()
        where TWindow : struct, IWindow
        where TShape : struct, IChannelAccess =>
        LaneProductSteps<Float32Element, float, float, TWindow, TShape, TMemory>.StageLength;

    public static void Dots<TElement, TStorage, TReal, TWindow, TShape, TAccess>(
        in TileMap<TStorage> query,
        in TileMap<TStorage> key,
        int channels,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> scores)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TWindow : struct, IWindow
        where TShape : struct, IChannelAccess
        where TAccess : struct, IChannelAccess =>
        LaneProductSteps<TElement, TStorage, TReal, TWindow, TShape, TMemory>.Dots<TAccess>(
            in query, in key, channels, stage, scores);

    public static void Sums<TElement, TStorage, TReal, TWindow, TShape, TScale, TAccess>(
        in TileMap<TStorage> source,
        in TileMap<TStorage> output,
        int channels,
        int byRows,
        ArrayView<Pack4<TReal>> stage,
        ArrayView<Pack4<TReal>> weights)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TWindow : struct, IWindow
        where TShape : struct, IChannelAccess
        where TScale : struct, IScale
        where TAccess : struct, IChannelAccess =>
        LaneProductSteps<TElement, TStorage, TReal, TWindow, TShape, TMemory>.Sums<TScale, TAccess>(
            in source, in output, channels, byRows, stage, weights);

    public static void Attend<
        TElement, TStorage, TReal, TWindow, TScale, TBorder, TNormalisation, TEmbeddingAccess, TValueAccess>(
        in WindowAttentionParameters<TStorage, TReal> parameters,
        in CellPairTile tile,
        int pack,
        in CellPairShared<TReal> shared)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation
        where TEmbeddingAccess : struct, IChannelAccess
        where TValueAccess : struct, IChannelAccess
    {
        var key = TileMap<TStorage>.OfCells<TWindow, TBorder, TValueAccess, TEmbeddingAccess>(
            in parameters.Extent, in tile, in parameters.Key, shared.Cells);
        var query = TileMap<TStorage>.OfQueries<TScale, TValueAccess, TEmbeddingAccess>(
            in parameters.Extent, in tile, pack, in parameters.Query, shared.Queries);
        CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TValueAccess, LaneProducts<TMemory>>
            .Dots<TEmbeddingAccess>(
                in query, in key, parameters.Extent.EmbeddingChannels, shared.Stage, shared.Weights);
        Group.Barrier();
        var value = TileMap<TStorage>.OfCells<TWindow, TBorder, TValueAccess, TValueAccess>(
            in parameters.Extent, in tile, in parameters.Value, shared.Cells);
        var output = TileMap<TStorage>.OfQueries<TScale, TValueAccess, TValueAccess>(
            in parameters.Extent, in tile, pack, in parameters.Output, shared.Queries);
        CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TValueAccess, LaneProducts<TMemory>>
            .Normalise<TScale, TNormalisation>(
                in parameters.Extent,
                in tile,
                pack,
                shared.Weights.Cast<TReal>(),
                in parameters.Normaliser,
                parameters.SaveNormaliser);
        CellPairSteps<TElement, TStorage, TReal, TWindow, TBorder, TValueAccess, LaneProducts<TMemory>>
            .Sums<TScale, TValueAccess>(
                in value,
                in output,
                parameters.Extent.ValueChannels,
                parameters.OutputByRows,
                shared.Stage,
                shared.Weights);
    }
}
