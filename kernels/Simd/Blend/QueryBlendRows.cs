using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// What the programs of the blended query share: tiles of rows of cells, whose gates are computed once for all channels
/// and queries, and the space for a row.
/// </summary>
internal readonly unsafe ref struct QueryBlendRows<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int ValuesPerTile = 1 << 15;

    public QueryBlendRows(ref ScratchAllocator scratch, in QueryBlendParameters<TStorage> parameters)
    {
        int lanes = TSimd.Lanes;
        Columns = new(ref scratch, in parameters.Columns);
        Gates = scratch.Take<TReal>(parameters.Columns.Cells + lanes);
        Rests = scratch.Take<TReal>(parameters.Columns.Cells + lanes);
        Cells = scratch.Take<TReal>(parameters.Columns.Cells + lanes);
        QueryGates = scratch.Take<TReal>(parameters.Columns.Queries + lanes);
        Queries = scratch.Take<TReal>(parameters.Columns.Queries + lanes);
        Sums = scratch.Take<TReal>(parameters.Columns.Queries + lanes);
    }

    /// <summary>Gets the cells of the queries of a row.</summary>
    public CellColumns<TSimd, TStorage, TReal, TVector> Columns { get; }

    /// <summary>Gets the gate of every cell, 1 where there is none.</summary>
    public TReal* Gates { get; }

    /// <summary>Gets 1 − gate of every cell, also 1 where there is none.</summary>
    public TReal* Rests { get; }

    /// <summary>Gets space for one value of every cell.</summary>
    public TReal* Cells { get; }

    /// <summary>Gets space for the gate of every query.</summary>
    public TReal* QueryGates { get; }

    /// <summary>Gets space for one value of every query.</summary>
    public TReal* Queries { get; }

    /// <summary>Gets space for one sum of every query.</summary>
    public TReal* Sums { get; }

    public static long ScratchBytes(in QueryBlendParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new QueryBlendRows<TSimd, TStorage, TReal, TVector>(ref scratch, in parameters);
        return scratch.Used;
    }

    public static void Begin(in QueryBlendParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        new QueryBlendRows<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters).Columns.Fill(
            in parameters.Columns);
    }

    /// <summary>The cut of the rows of cells.</summary>
    public static RowTiling Tiling(in QueryBlendParameters<TStorage> parameters) => new(
        parameters.Rows.Cells,
        (long)parameters.Columns.Queries * parameters.Channels * Math.Max(
            1, parameters.Rows.Queries / parameters.Rows.Cells),
        ValuesPerTile);

    public static double Operations(in QueryBlendParameters<TStorage> parameters) =>
        8.0 * parameters.Batch * parameters.Channels * parameters.Rows.Queries * parameters.Columns.Queries;

    /// <summary>Computes the gates of a row of cells, in whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void OpenGates(in QueryBlendParameters<TStorage> parameters, int image, int row)
    {
        int lanes = TSimd.Lanes;
        int cells = parameters.Columns.Cells;
        var one = TSimd.Constant(1.0);
        if (parameters.HasGate == 0)
        {
            for (int cell = 0; cell < cells; cell += lanes)
            {
                TSimd.Store(Gates + cell, one);
                TSimd.Store(Rests + cell, one);
            }
            return;
        }
        var gate = new MapPointer<TStorage>(in parameters.Gate);
        TSimd.Gather(gate.At(image, 0, row, 0), gate.ColumnStride, Gates, cells);
        for (int cell = 0; cell < cells; cell += lanes)
        {
            var open = SigmoidNormalisation.Unnormalised<TSimd, TStorage, TReal, TVector>(TSimd.Load(Gates + cell));
            TSimd.Store(Gates + cell, open);
            TSimd.Store(Rests + cell, TSimd.Subtract(one, open));
        }
        CloseUnusedGates(in parameters, row);
    }

    /// <summary>Reads a row of the decoder's part and repeats it for the queries.</summary>
    public void ExpandDecoder(TStorage* decoder, nint stride, bool weighed)
    {
        int cells = Columns.CellCount;
        TSimd.Gather(decoder, stride, Cells, cells);
        if (weighed)
            Scale(Cells, Rests, cells);
        Columns.Expand(Cells, Queries);
    }

    // The gate of a cell without queries plays no part, not even as NaN. Only maps that are made smaller have such cells.
    private void CloseUnusedGates(in QueryBlendParameters<TStorage> parameters, int row)
    {
        bool isUsed = parameters.Rows.First(row) < parameters.Rows.First(row + 1);
        int cells = parameters.Columns.Cells;
        if (isUsed && parameters.Columns.Queries >= cells)
            return;
        for (int cell = 0; cell < cells; cell++)
        {
            if (!isUsed || parameters.Columns.First(cell) == parameters.Columns.First(cell + 1))
                Gates[cell] = Rests[cell] = TReal.Zero;
        }
    }

    /// <summary>values[i] *= factors[i], in whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(TReal* values, TReal* factors, int count)
    {
        for (int i = 0; i < count; i += TSimd.Lanes)
            TSimd.Store(values + i, TSimd.Multiply(TSimd.Load(values + i), TSimd.Load(factors + i)));
    }
}
