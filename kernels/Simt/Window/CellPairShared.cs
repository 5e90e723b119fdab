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

    /// <summary>Allocates; the length of the stage is a constant.</summary>
    public static CellPairShared<TReal> Allocate<TWindow>(int stageLength)
        where TWindow : struct, IWindow => new()
        {
            Stage = SharedMemory.Allocate<Pack4<TReal>>(stageLength).AsAligned(16),
            Weights = SharedMemory.Allocate<Pack4<TReal>>(CellPair.ArrayLength<TWindow>()).AsAligned(16),
            Cells = SharedMemory.Allocate<int>(CellPair.TableLength<TWindow>()),
            Queries = SharedMemory.Allocate<int>(CellPair.TableLength<TWindow>()).AsAligned(16),
        };
}
