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
        where TAccess : struct, IChannelAccess =>
        MatrixProductSteps<TMatrix, TWindow, TShape, TMemory>.Dots<TStorage, TAccess>(
            in query, in key, channels, stage.Cast<Pack4<uint>>(), scores.Cast<float>());

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
        MatrixProductSteps<TMatrix, TWindow, TShape, TMemory>.Sums<TStorage, TScale, TAccess>(
            in source, in output, channels, byRows, stage.Cast<Pack4<uint>>(), weights.Cast<float>());
}
