using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gather of <see cref="TransposedReassembly{TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TScale,
/// TAccess}"/> for fixed windows, a ratio of 2 and channels side by side: a cell collects the contributions of all
/// queries whose window holds it, in a fixed order.
/// </summary>
/// <remarks>
/// A group owns a tile of 4×4 cells and keeps their weights in shared memory. A thread owns eight channels of a quad of
/// 2×2 cells, whose windows share most of the queries: a cell of queries is eight vector reads of the source and up to
/// four of the weights for up to 128 multiply-adds. Maps of few channels would leave most threads without work: there the
/// rows are divided among several, whose sums are added in a fixed order. Traffic to main memory: every operand once;
/// what neighbours share is served by the cache.
/// </remarks>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CellQuadGather<TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TAccess>
    : IKernel<TransposedReassemblyParameters<TStorage, TWeight>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWeightElement : struct, IElement<TWeight, TReal>
    where TWeight : unmanaged
    where TWindow : struct, IWindow
    where TAccess : struct, IChannelAccess
{
    private const int TileWidth = 4;
    private const int PacksAcross = 8;
    private const int SumsOfThread = 8;

    private static int HaloWidth => TileWidth + TWindow.Size(0) - 1;

    private static int HaloCells => HaloWidth * HaloWidth;

    public static int GroupSize => 128;

    public static long GroupCount(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        CellQuadTile<TWindow, SquareQuads>.GroupCount(in parameters.Extent, in parameters.Band, parts: 1);

    public static void Execute(in TransposedReassemblyParameters<TStorage, TWeight> parameters)
    {
        int cells = CellQuadTile<TWindow, SquareQuads>.Cells;
        var weights = SharedMemory.Allocate<Pack4<TReal>>(
            CellQuadTile<TWindow, SquareQuads>.Quads * CellQuadTile<TWindow, SquareQuads>.QuadPitch).AsAligned(16);
        var sources = SharedMemory.Allocate<Pack4<int>>(HaloCells).AsAligned(16);
        var results = SharedMemory.Allocate<int>(cells);
        var parts = SharedMemory.Allocate<Pack4<TReal>>(GroupSize * SumsOfThread).AsAligned(16);
        var tile = CellQuadTile<TWindow, SquareQuads>.Locate(in parameters.Extent, in parameters.Band, parts: 1);
        Locate(in parameters, in tile, sources, results);
        tile.LoadWeights<TWeightElement, TWeight, TReal>(
            in parameters.Extent, in parameters.Weights, GroupSize, weights.Cast<TReal>());
        Group.Barrier();

        // Neighbouring threads take neighbouring packs, and every eighth pack a second one.
        int packs = parameters.Extent.ValueChannels / 4;
        int perQuad = (packs + 2 * PacksAcross - 1) / (2 * PacksAcross) * PacksAcross;
        int perTile = perQuad * CellQuadTile<TWindow, SquareQuads>.Quads;
        int slices = Math.Max(1, GroupSize / perTile);
        for (int first = 0; first < perTile; first += GroupSize)
        {
            int slice = (first + Group.IdxX) / perTile;
            int item = first + Group.IdxX - slice * perTile;
            int quad = item / perQuad;
            int inQuad = item - quad * perQuad;
            int pack = inQuad + (inQuad & ~(PacksAcross - 1));
            bool works = slice < slices & pack < packs;
            var sums = default(CellQuadSums<TElement, TStorage, TReal, TWindow, TAccess>);

            // A thread without a second pack reads its first one twice.
            bool hasSecond = pack + PacksAcross < packs;
            if (works)
            {
                int toSecond = hasSecond ? PacksAcross : 0;

                // By the rows of the map, not of the tile: the order of the sums is the same in every band.
                int firstRow = (slice - (tile.Row + quad / 2 * 2 - TWindow.Size(0) / 2)) & (slices - 1);
                int source = (quad / 2 * HaloWidth + (quad & 1)) * 2 + firstRow * HaloWidth;
                int weight = quad * CellQuadTile<TWindow, SquareQuads>.QuadPitch + firstRow * TWindow.Size(0);
                for (int row = firstRow; row <= TWindow.Size(0); row += slices)
                {
                    sums.AddRow(parameters.Source.Data, sources, source, weights, weight, pack, toSecond, row);
                    source += slices * HaloWidth;
                    weight += slices * TWindow.Size(0);
                }
            }
            if (slices > 1)
            {
                if (slice > 0)
                    sums.Store(parts.SubView(Group.IdxX, 1), GroupSize);
                Group.Barrier();
                for (int other = 1; other < slices & slice == 0; other++)
                    sums.Add(parts.SubView(other * perTile + item, 1), GroupSize);
            }
            if (works & slice == 0)
            {
                Write(in parameters, results[quad * 4], pack, hasSecond, sums.First0, sums.Second0);
                Write(in parameters, results[quad * 4 + 1], pack, hasSecond, sums.First1, sums.Second1);
                Write(in parameters, results[quad * 4 + 2], pack, hasSecond, sums.First2, sums.Second2);
                Write(in parameters, results[quad * 4 + 3], pack, hasSecond, sums.First3, sums.Second3);
            }
        }
    }

    private static void Write(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        int result,
        int pack,
        bool hasSecond,
        Pack4<TReal> first,
        Pack4<TReal> second)
    {
        if (result < 0)
            return;
        Write(in parameters, result + pack, first);
        if (hasSecond)
            Write(in parameters, result + pack + PacksAcross, second);
    }

    private static void Write(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters, int position, Pack4<TReal> sum)
    {
        if (parameters.Accumulate != 0)
        {
            var known = TAccess.LoadNear<TElement, TStorage, TReal>(parameters.Result.Data, position, 0, 1, 4);
            Pack4.Add(ref sum, TReal.One, in known);
        }
        TAccess.StoreNear<TElement, TStorage, TReal>(parameters.Result.Data, position, 0, 1, 4, in sum);
    }

    private static void Locate(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        in CellQuadTile<TWindow, SquareQuads> tile,
        ArrayView<Pack4<int>> sources,
        ArrayView<int> results)
    {
        int radius = TWindow.Size(0) / 2;
        int thread = Group.IdxX;
        if (thread < HaloCells)
        {
            int y = thread / HaloWidth;
            int row = tile.Row - radius + y;
            int column = tile.Column - radius + thread - y * HaloWidth;
            var position = new Pack4<int> { X = -1, Y = -1, Z = -1, W = -1 };
            if (row >= 0 & row < parameters.Extent.Height & column >= 0 & column < parameters.Extent.Width)
            {
                long first = parameters.Source.Offset(tile.Image, 0, 2 * row, 2 * column);
                position.X = (int)(first >> 2);
                position.Y = (int)((first + parameters.Source.ColumnStride) >> 2);
                position.Z = (int)((first + parameters.Source.RowStride) >> 2);
                position.W = (int)((first + parameters.Source.RowStride + parameters.Source.ColumnStride) >> 2);
            }
            sources[thread] = position;
        }
        if (thread < CellQuadTile<TWindow, SquareQuads>.Cells)
        {
            int row = tile.CellRow(thread);
            int column = tile.CellColumn(thread);
            int position = -1;
            if (row < tile.RowEnd & column < parameters.Extent.Width)
                position = (int)(parameters.Result.Offset(tile.Image, 0, row, column) >> 2);
            results[thread] = position;
        }
    }
}
