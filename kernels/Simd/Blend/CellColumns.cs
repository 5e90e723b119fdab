using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// Between a row of cells and the row of their queries: values of cells are repeated for their queries, values of
/// queries are summed for their cells. The cell of every query is computed once for many rows.
/// </summary>
internal readonly unsafe ref struct CellColumns<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly int cells;
    private readonly int queries;
    private readonly bool isDoubled;
    private readonly int* cellOf;
    private readonly TReal* even;
    private readonly TReal* odd;

    public CellColumns(ref ScratchAllocator scratch, in AxisGrid grid)
    {
        cells = grid.Cells;
        queries = grid.Queries;
        isDoubled = grid.Scale == 2;
        cellOf = scratch.Take<int>(grid.Queries);
        even = scratch.Take<TReal>(grid.Cells + TSimd.Lanes);
        odd = scratch.Take<TReal>(grid.Cells + TSimd.Lanes);
    }

    /// <summary>Gets the cells of a row.</summary>
    public int CellCount => cells;

    /// <summary>The cell of a query.</summary>
    public int this[int query] => cellOf[query];

    public void Fill(in AxisGrid grid)
    {
        for (int query = 0; query < grid.Queries; query++)
            cellOf[query] = grid.CellOf(query);
    }

    /// <summary>result[query] = row[cell of the query].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Expand(TReal* row, TReal* result)
    {
        if (isDoubled)
        {
            StridedCopy.Interleave(row, row, result, cells);
            return;
        }
        for (int query = 0; query < queries; query++)
            result[query] = row[cellOf[query]];
    }

    /// <summary>result[cell] = Σ row[query] over the queries of the cell; whole vectors are written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Contract(TReal* row, TReal* result)
    {
        if (isDoubled)
        {
            StridedCopy.Gather(row, 2, even, cells);
            StridedCopy.Gather(row + 1, 2, odd, cells);
            for (int cell = 0; cell < cells; cell += TSimd.Lanes)
                TSimd.Store(result + cell, TSimd.Add(TSimd.Load(even + cell), TSimd.Load(odd + cell)));
            return;
        }
        new Span<TReal>(result, cells).Clear();
        for (int query = 0; query < queries; query++)
            result[cellOf[query]] += row[query];
    }
}
