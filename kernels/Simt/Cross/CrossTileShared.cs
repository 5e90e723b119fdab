using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>What programs on tiles of queries allocate of shared memory.</summary>
internal struct CrossTileShared<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The numbers of <see cref="Numbers"/>: what scores are multiplied by.</summary>
    public const int Scale = 0;

    /// <summary>A zero that no optimiser knows.</summary>
    public const int Zero = 1;

    /// <summary>The positions of a table, one for each thread: more than there are, which are outside.</summary>
    private const int Positions = CrossTile.GroupSize;

    /// <summary>What is staged; the first that is allocated.</summary>
    public ArrayView<Pack4<TReal>> Stage;

    /// <summary>The weights, where they are kept here.</summary>
    public ArrayView<Pack4<TReal>> Weights;

    /// <summary>The positions of the queries.</summary>
    public ArrayView<int> Queries;

    /// <summary>Their positions in the map that is written.</summary>
    public ArrayView<int> Outputs;

    /// <summary>Their positions in the gradient of the output.</summary>
    public ArrayView<int> Gradients;

    /// <summary>The positions of the cells in the map that is compared.</summary>
    public ArrayView<int> Keys;

    /// <summary>Their positions in the map that is summed.</summary>
    public ArrayView<int> Values;

    /// <summary>The rows of the cells.</summary>
    public ArrayView<int> CellRows;

    /// <summary>Their columns.</summary>
    public ArrayView<int> CellColumns;

    /// <summary>What is added to the scores of the cells, −∞ for what no query sees.</summary>
    public ArrayView<TReal> Bias;

    /// <summary>
    /// Where queries are the columns of the products, what is subtracted from their scores, what their exponentials are multiplied
    /// by, and the mean of the gradients of their weights.
    /// </summary>
    public ArrayView<Pack4<float>> Columns;

    /// <summary>What a query sees: the first row and the one after the last, the first column and the one after the last.</summary>
    public ArrayView<Pack4<int>> Ranges;

    /// <summary>The taps of a query outside the map that take part with score 0.</summary>
    public ArrayView<float> Outside;

    /// <summary>Where the statistics of the queries are, of the first head; negative for queries that there are not.</summary>
    public ArrayView<long> Statistics;

    /// <summary>Where their means are, of the first head.</summary>
    public ArrayView<long> MeanOffsets;

    /// <summary>Single numbers.</summary>
    public ArrayView<TReal> Numbers;

    /// <summary>Allocates.</summary>
    public static CrossTileShared<TReal> Allocate<TProducts, TState>()
        where TState : struct
        where TProducts : struct, ICrossProducts<TReal, TState> => new()
        {
            Stage = SharedMemory.Allocate<Pack4<TReal>>(TProducts.StageLength).AsAligned(16),
            Weights = SharedMemory.Allocate<Pack4<TReal>>(TProducts.WeightLength).AsAligned(16),
            Queries = SharedMemory.Allocate<int>(Positions),
            Outputs = SharedMemory.Allocate<int>(Positions),
            Gradients = SharedMemory.Allocate<int>(Positions),
            Keys = SharedMemory.Allocate<int>(Positions),
            Values = SharedMemory.Allocate<int>(Positions),
            CellRows = SharedMemory.Allocate<int>(Positions),
            CellColumns = SharedMemory.Allocate<int>(Positions),
            Bias = SharedMemory.Allocate<TReal>(Positions),
            Ranges = SharedMemory.Allocate<Pack4<int>>(Positions).AsAligned(16),
            Columns = SharedMemory.Allocate<Pack4<float>>(Positions).AsAligned(16),
            Outside = SharedMemory.Allocate<float>(CrossTile.Queries),
            Statistics = SharedMemory.Allocate<long>(CrossTile.Queries),
            MeanOffsets = SharedMemory.Allocate<long>(CrossTile.Queries),
            Numbers = SharedMemory.Allocate<TReal>(2),
        };
}
