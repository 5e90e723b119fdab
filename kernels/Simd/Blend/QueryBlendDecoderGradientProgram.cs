using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradient of the decoder's part of a blended query on the CPU, (1 − g)·Σ gradient over the queries of the cell.
/// Tiled as <see cref="QueryBlendProgram{TSimd, TStorage, TReal, TVector, TTerms}"/>; of contiguous maps the rows of
/// the queries of a row of cells are summed first, then their columns.
/// </summary>
internal readonly unsafe struct QueryBlendDecoderGradientProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<QueryBlendParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    public static long TileCount(in QueryBlendParameters<TStorage> parameters) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.Tiling(in parameters).Count(parameters.Batch);

    public static double Operations(in QueryBlendParameters<TStorage> parameters) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.Operations(in parameters);

    public static long ScratchBytes(in QueryBlendParameters<TStorage> parameters) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.ScratchBytes(in parameters);

    public static void Begin(in QueryBlendParameters<TStorage> parameters, byte* scratch) =>
        QueryBlendRows<TSimd, TStorage, TReal, TVector>.Begin(in parameters, scratch);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in QueryBlendParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new QueryBlendRows<TSimd, TStorage, TReal, TVector>(ref allocator, in parameters);
        var rows = QueryBlendRows<TSimd, TStorage, TReal, TVector>.Tiling(in parameters)[tile];
        var gradient = new MapPointer<TStorage>(in parameters.GradQuery);
        var result = new MapPointer<TStorage>(in parameters.Result);
        bool overChannels = SimdFormats.OverChannels(
            in parameters.GradQuery, in parameters.Result, parameters.Channels, TSimd.Lanes);
        for (int row = rows.First; row < rows.End; row++)
        {
            workspace.OpenGates(in parameters, rows.Image, row);
            if (overChannels)
                Pixels(in parameters, in gradient, in result, workspace.Rests, rows.Image, row);
            else
                Planes(in parameters, in gradient, in result, in workspace, rows.Image, row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in QueryBlendParameters<TStorage> parameters,
        in MapPointer<TStorage> gradient,
        in MapPointer<TStorage> result,
        TReal* rests,
        int image,
        int row)
    {
        int lanes = TSimd.Lanes;
        int channels = parameters.Channels;
        int firstRow = parameters.Rows.First(row);
        int down = parameters.Rows.First(row + 1) - firstRow;
        nint rowStride = gradient.RowStride;
        nint columnStride = gradient.ColumnStride;
        TStorage* to = result.At(image, 0, row, 0);
        for (int cell = 0; cell < parameters.Columns.Cells; cell++)
        {
            int firstColumn = parameters.Columns.First(cell);
            int across = parameters.Columns.First(cell + 1) - firstColumn;
            TStorage* from = gradient.At(image, 0, firstRow, firstColumn);
            var rest = TSimd.Broadcast(rests[cell]);
            for (int channel = 0; channel < channels; channel += lanes)
            {
                // The last vector overlaps the one before it.
                int at = Math.Min(channel, channels - lanes);
                var sum = TSimd.Constant(0.0);
                for (int i = 0; i < down; i++)
                {
                    TStorage* own = from + i * rowStride + at;
                    for (int j = 0; j < across; j++)
                    {
                        sum = TSimd.Add(sum, TSimd.LoadStorage(own));
                        own += columnStride;
                    }
                }
                TSimd.StoreStorage(to + at, TSimd.Multiply(rest, sum));
            }
            to += result.ColumnStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Planes(
        in QueryBlendParameters<TStorage> parameters,
        in MapPointer<TStorage> gradient,
        in MapPointer<TStorage> result,
        in QueryBlendRows<TSimd, TStorage, TReal, TVector> workspace,
        int image,
        int row)
    {
        int firstRow = parameters.Rows.First(row);
        int down = parameters.Rows.First(row + 1) - firstRow;
        int cells = parameters.Columns.Cells;
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            // There is no first row to point at where the last cells own no query.
            TStorage* from = down > 0 ? gradient.At(image, channel, firstRow, 0) : null;
            SumRows(from, in gradient, down, workspace.Sums, parameters.Columns.Queries);
            workspace.Columns.Contract(workspace.Sums, workspace.Cells);
            QueryBlendRows<TSimd, TStorage, TReal, TVector>.Scale(workspace.Cells, workspace.Rests, cells);
            TSimd.Scatter(workspace.Cells, result.At(image, channel, row, 0), result.ColumnStride, cells);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRows(TStorage* from, in MapPointer<TStorage> gradient, int rows, TReal* sums, int count)
    {
        int lanes = TSimd.Lanes;
        nint rowStride = gradient.RowStride;
        nint columnStride = gradient.ColumnStride;
        int column = 0;
        for (; columnStride == 1 && column + lanes <= count; column += lanes)
        {
            var sum = TSimd.Constant(0.0);
            for (int i = 0; i < rows; i++)
                sum = TSimd.Add(sum, TSimd.LoadStorage(from + i * rowStride + column));
            TSimd.Store(sums + column, sum);
        }
        for (; column < count; column++)
        {
            TReal sum = TReal.Zero;
            for (int i = 0; i < rows; i++)
                sum += TSimd.Widen(from[i * rowStride + column * columnStride]);
            sums[column] = sum;
        }
    }
}
