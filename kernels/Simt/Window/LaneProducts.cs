using System.Numerics;
using ILGPU;
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
}
