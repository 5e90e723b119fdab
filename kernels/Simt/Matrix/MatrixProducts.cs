using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Products of 16-bit maps by the matrix units of CUDA devices.</summary>
[RegisterLimit(RegisterLimitAttribute.SevenWarpsAQuarter)]
internal readonly struct MatrixProducts<TMatrix, TMemory> : ICellPairProducts
    where TMatrix : struct, IMatrixFormat
    where TMemory : struct, ICellPairMemory
{
    public static int GroupSize<TWindow>()
        where TWindow : struct, IWindow => MatrixRound.GroupSize;

    public static int StageLength<TWindow, TShape>()
        where TWindow : struct, IWindow
        where TShape : struct, IChannelAccess => MatrixProductSteps<TMatrix, TWindow, TShape, TMemory>.StageLength;

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
        where TAccess : struct, IChannelAccess
    {
        var block = MatrixBlock<TWindow, TShape>.OfWarp();
        var window = MatrixWindow<TWindow, TShape>.OfLane(in block);
        MatrixProductSteps<TMatrix, TWindow, TShape, TMemory>.Scores<TStorage, TAccess>(
            in block, in query, in key, channels, stage.Cast<Pack4<uint>>())
            .Write(in window, scores.Cast<float>());
    }

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
        where TAccess : struct, IChannelAccess
    {
        var block = MatrixBlock<TWindow, TShape>.OfWarp();
        var window = MatrixWindow<TWindow, TShape>.OfLane(in block);
        Group.Barrier();
        var factors = MatrixWeights<TMatrix, TWindow, TShape>.Round(
            MatrixScores<TMatrix, TWindow, TShape>.Read(in window, weights.Cast<float>()));
        MatrixProductSteps<TMatrix, TWindow, TShape, TMemory>.Sums<TStorage, TScale, TAccess>(
            in block,
            in factors,
            in source,
            in output,
            channels,
            stage.Cast<Pack4<uint>>(),
            weights.Cast<float>(),
            inRegisters: false);
    }

    // The scores stay in the registers that the products leave them in, and the weights are factors where they are.
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
        var block = MatrixBlock<TWindow, TValueAccess>.OfWarp();
        var scores = MatrixProductSteps<TMatrix, TWindow, TValueAccess, TMemory>.Scores<TStorage, TEmbeddingAccess>(
            in block,
            in query,
            in key,
            parameters.Extent.EmbeddingChannels,
            shared.Stage.Cast<Pack4<uint>>());
        Group.Barrier();
        var value = TileMap<TStorage>.OfCells<TWindow, TBorder, TValueAccess, TValueAccess>(
            in parameters.Extent, in tile, in parameters.Value, shared.Cells);
        var output = TileMap<TStorage>.OfQueries<TScale, TValueAccess, TValueAccess>(
            in parameters.Extent, in tile, pack, in parameters.Output, shared.Queries);
        var window = MatrixWindow<TWindow, TValueAccess>.OfLane(in block);
        MatrixNormalisation<TMatrix, TWindow, TValueAccess>.SetOutside<TBorder>(
            in parameters.Extent, in tile, in block, in window, ref scores);
        var normaliser = MatrixNormalisation<TMatrix, TWindow, TValueAccess>.Apply<TNormalisation>(
            in window, ref scores);
        if (parameters.SaveNormaliser != 0)
        {
            MatrixNormalisation<TMatrix, TWindow, TValueAccess>.Save<TScale, TReal>(
                in parameters.Extent, in tile, pack, in block, normaliser, in parameters.Normaliser);
        }
        var factors = MatrixWeights<TMatrix, TWindow, TValueAccess>.Round(in scores);
        Group.Barrier();
        MatrixProductSteps<TMatrix, TWindow, TValueAccess, TMemory>.Sums<TStorage, TScale, TValueAccess>(
            in block,
            in factors,
            in value,
            in output,
            parameters.Extent.ValueChannels,
            shared.Stage.Cast<Pack4<uint>>(),
            shared.Weights.Cast<float>(),
            inRegisters: true);
    }
}
