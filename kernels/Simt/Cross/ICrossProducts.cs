using System.Numerics;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// How the groups of programs on tiles of queries multiply: 64 queries with pieces of up to 96 cells, then weights with what
/// these hold. A thread has 48 scores, <see cref="CrossScores"/>, twelve blocks of four; which, is a matter of the products.
/// </summary>
/// <typeparam name="TReal">The type of what is in shared memory, single precision.</typeparam>
/// <typeparam name="TState">What a thread keeps: sums, and weights where they are in registers.</typeparam>
internal interface ICrossProducts<TReal, TState>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TState : struct
{
    /// <summary>Gets the packs of shared memory that operands are staged in.</summary>
    static abstract int StageLength { get; }

    /// <summary>Gets the packs of shared memory that weights need.</summary>
    static abstract int WeightLength { get; }

    /// <summary>Gets whether columns that lie side by side are read in pairs.</summary>
    static abstract bool ReadsPairs { get; }

    /// <summary>The queries of the four scores of a block.</summary>
    static abstract Pack4<int> QueriesOfBlock();

    /// <summary>The cells of the four scores of a block.</summary>
    static abstract Pack4<int> CellsOfBlock(int block);

    /// <summary>Gets whether the thread is the first of those that share its queries.</summary>
    static abstract bool IsFirstOfQuery { get; }

    /// <summary>The exponential of a value that is not positive.</summary>
    static abstract float Exp(float value);

    /// <summary>
    /// Of the largest that each thread has the largest for each query. Run by a whole group, after
    /// <see cref="Dots"/>; may have barriers, begins and ends without one.
    /// </summary>
    static abstract Pack4<float> Largest(Pack4<float> own, in CrossTileShared<TReal> shared);

    /// <summary>As <see cref="Largest"/>, the sums.</summary>
    static abstract Pack4<float> Total(Pack4<float> own, in CrossTileShared<TReal> shared);

    /// <summary>
    /// scores = ⟨query, cell⟩ on some channels. Run by a whole group; begins with a barrier and ends without one.
    /// </summary>
    /// <param name="queries">The queries.</param>
    /// <param name="cells">The cells.</param>
    /// <param name="count">The cells of the piece, in whole blocks.</param>
    /// <param name="first">The first channel.</param>
    /// <param name="end">The channel after the last.</param>
    /// <param name="shared">The shared memory.</param>
    /// <param name="scores">The scores; those past the count are 0.</param>
    static abstract void Dots<TElement, TStorage, TAccess>(
        in TileMap<TStorage> queries,
        in TileMap<TStorage> cells,
        int count,
        int first,
        int end,
        in CrossTileShared<TReal> shared,
        ref CrossScores scores)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess;

    /// <summary>Keeps weights for the sums. Begins and ends without a barrier.</summary>
    static abstract void Keep(ref TState state, in CrossScores weights, in CrossTileShared<TReal> shared);

    /// <summary>
    /// Adds Σ weight · cell to the sums. Run by a whole group; begins with a barrier and ends without one.
    /// </summary>
    /// <param name="state">The sums, and the weights.</param>
    /// <param name="isFirst">Whether the sums begin with these.</param>
    /// <param name="cells">The cells.</param>
    /// <param name="count">The cells of the piece, in whole blocks.</param>
    /// <param name="first">The first channel.</param>
    /// <param name="end">The channel after the last of all.</param>
    /// <param name="shared">The shared memory.</param>
    static abstract void Add<TElement, TStorage, TAccess>(
        ref TState state,
        bool isFirst,
        in TileMap<TStorage> cells,
        int count,
        int first,
        int end,
        in CrossTileShared<TReal> shared)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess;

    /// <summary>Writes the sums. Run by a whole group; begins and ends without a barrier.</summary>
    /// <param name="state">The sums.</param>
    /// <param name="outputs">Where they go.</param>
    /// <param name="first">The first channel.</param>
    /// <param name="end">The channel after the last of all.</param>
    static abstract void Write<TElement, TStorage, TAccess>(
        in TState state, in TileMap<TStorage> outputs, int first, int end)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess;

    /// <summary>As <see cref="Write"/>, to a map that is not rounded.</summary>
    static abstract void WriteWide<TElement, TAccess>(in TState state, in TileMap<TReal> outputs, int first, int end)
        where TElement : struct, IElement<TReal, TReal>
        where TAccess : struct, IChannelAccess;
}
