using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// How the groups of programs on cell pairs multiply: the threads and the shared memory that it takes, scores out of
/// queries and keys, sums out of weights and values.
/// </summary>
internal interface ICellPairProducts
{
    /// <summary>
    /// The threads of a group, at least as many as there are queries of a pack and positions in the windows of a tile.
    /// </summary>
    static abstract int GroupSize<TWindow>()
        where TWindow : struct, IWindow;

    /// <summary>The packs of shared memory that operands are staged in.</summary>
    static abstract int StageLength<TWindow, TShape>()
        where TWindow : struct, IWindow
        where TShape : struct, IChannelAccess;

    /// <summary>
    /// scores = ⟨query, key⟩, for every query and the cells of its window. Run by a whole group; begins and ends without
    /// a barrier.
    /// </summary>
    static abstract void Dots<TElement, TStorage, TReal, TWindow, TShape, TAccess>(
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
        where TAccess : struct, IChannelAccess;

    /// <summary>
    /// output = Σ weights · source. Run by a whole group; begins and ends without a barrier.
    /// </summary>
    /// <param name="source">What is summed.</param>
    /// <param name="output">Where the sums go.</param>
    /// <param name="channels">The channels of both.</param>
    /// <param name="byRows">Whether four columns of the output are one aligned access.</param>
    /// <param name="stage">The memory to stage in, the first that the group allocates.</param>
    /// <param name="weights">The weights.</param>
    static abstract void Sums<TElement, TStorage, TReal, TWindow, TShape, TScale, TAccess>(
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
        where TAccess : struct, IChannelAccess;

    /// <summary>
    /// Attention of a query pack of a tile, from the operands to the output. Run by a whole group; begins and ends
    /// without a barrier.
    /// </summary>
    static abstract void Attend<
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
        where TValueAccess : struct, IChannelAccess;
}
