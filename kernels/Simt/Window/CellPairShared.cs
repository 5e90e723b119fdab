using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What every program on cell pairs allocates of shared memory.</summary>
internal struct CellPairShared<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>What is staged.</summary>
    public ArrayView<Pack4<TReal>> Stage;

    /// <summary>A pack for each cell and tap: scores, then weights.</summary>
    public ArrayView<Pack4<TReal>> Weights;

    /// <summary>The positions of cells.</summary>
    public ArrayView<int> Cells;

    /// <summary>The positions of queries.</summary>
    public ArrayView<int> Queries;

    /// <summary>Allocates, what is staged in first.</summary>
    public static CellPairShared<TReal> Allocate<TWindow, TShape, TProducts>()
        where TWindow : struct, IWindow
        where TShape : struct, IChannelAccess
        where TProducts : struct, ICellPairProducts => new()
        {
            Stage = SharedMemory.Allocate<Pack4<TReal>>(TProducts.StageLength<TWindow, TShape>()).AsAligned(16),
            Weights = SharedMemory.Allocate<Pack4<TReal>>(CellPair.ArrayLength<TWindow>()).AsAligned(16),
            Cells = SharedMemory.Allocate<int>(TProducts.GroupSize<TWindow>()),
            Queries = SharedMemory.Allocate<int>(TProducts.GroupSize<TWindow>()).AsAligned(16),
        };
}
