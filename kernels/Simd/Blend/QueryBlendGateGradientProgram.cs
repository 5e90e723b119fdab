using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradient of the gate of a blended query on the CPU, g·(1 − g)·Σ gradient·(encoder − decoder) over channels and
/// queries of the cell. Tiled as <see cref="QueryBlendProgram{TSimd, TStorage, TReal, TVector, TTerms}"/>; of
/// contiguous maps the channels are summed first, then the columns.
/// </summary>
internal readonly unsafe struct QueryBlendGateGradientProgram<TSimd, TStorage, TReal, TVector>
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
        var encoder = new MapPointer<TStorage>(in parameters.Encoder);
        var decoder = new MapPointer<TStorage>(in parameters.Decoder);
        var gradient = new MapPointer<TStorage>(in parameters.GradQuery);
        var result = new MapPointer<TStorage>(in parameters.Result);
        int cells = parameters.Columns.Cells;
        bool overChannels = encoder.IsChannelsLast && decoder.IsChannelsLast && gradient.IsChannelsLast
            && parameters.Channels >= TSimd.Lanes;
        for (int row = rows.First; row < rows.End; row++)
        {
            workspace.OpenGates(in parameters, rows.Image, row);
            if (overChannels)
                Pixels(in parameters, in encoder, in decoder, in gradient, workspace.Cells, rows.Image, row);
            else
                Planes(in parameters, in encoder, in decoder, in gradient, in workspace, rows.Image, row);
            QueryBlendRows<TSimd, TStorage, TReal, TVector>.Scale(workspace.Cells, workspace.Gates, cells);
            QueryBlendRows<TSimd, TStorage, TReal, TVector>.Scale(workspace.Cells, workspace.Rests, cells);
            TSimd.Scatter(workspace.Cells, result.At(rows.Image, 0, row, 0), result.ColumnStride, cells);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in QueryBlendParameters<TStorage> parameters,
        in MapPointer<TStorage> encoder,
        in MapPointer<TStorage> decoder,
        in MapPointer<TStorage> gradient,
        TReal* sums,
        int image,
        int row)
    {
        int firstRow = parameters.Rows.First(row);
        int endRow = parameters.Rows.First(row + 1);
        for (int cell = 0; cell < parameters.Columns.Cells; cell++)
        {
            TReal sum = TReal.Zero;
            int firstColumn = parameters.Columns.First(cell);
            int endColumn = parameters.Columns.First(cell + 1);
            TStorage* own = decoder.At(image, 0, row, cell);
            for (int i = firstRow; i < endRow; i++)
            {
                for (int j = firstColumn; j < endColumn; j++)
                    sum += Pixel(encoder.At(image, 0, i, j), own, gradient.At(image, 0, i, j), parameters.Channels);
            }
            sums[cell] = sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static TReal Pixel(TStorage* encoder, TStorage* decoder, TStorage* gradient, int channels)
    {
        int lanes = TSimd.Lanes;
        int channel = 0;
        var even = TSimd.Constant(0.0);
        var odd = TSimd.Constant(0.0);
        for (; channel + 2 * lanes <= channels; channel += 2 * lanes)
        {
            int next = channel + lanes;
            var first = TSimd.Subtract(TSimd.LoadStorage(encoder + channel), TSimd.LoadStorage(decoder + channel));
            var second = TSimd.Subtract(TSimd.LoadStorage(encoder + next), TSimd.LoadStorage(decoder + next));
            even = TSimd.MultiplyAdd(first, TSimd.LoadStorage(gradient + channel), even);
            odd = TSimd.MultiplyAdd(second, TSimd.LoadStorage(gradient + next), odd);
        }
        for (; channel + lanes <= channels; channel += lanes)
        {
            var first = TSimd.Subtract(TSimd.LoadStorage(encoder + channel), TSimd.LoadStorage(decoder + channel));
            even = TSimd.MultiplyAdd(first, TSimd.LoadStorage(gradient + channel), even);
        }
        TReal sum = TSimd.Sum(TSimd.Add(even, odd));
        for (; channel < channels; channel++)
        {
            TReal difference = TSimd.Widen(encoder[channel]) - TSimd.Widen(decoder[channel]);
            sum += difference * TSimd.Widen(gradient[channel]);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Planes(
        in QueryBlendParameters<TStorage> parameters,
        in MapPointer<TStorage> encoder,
        in MapPointer<TStorage> decoder,
        in MapPointer<TStorage> gradient,
        in QueryBlendRows<TSimd, TStorage, TReal, TVector> workspace,
        int image,
        int cellRow)
    {
        int firstRow = parameters.Rows.First(cellRow);
        int endRow = parameters.Rows.First(cellRow + 1);
        int queries = parameters.Columns.Queries;
        new Span<TReal>(workspace.Sums, queries).Clear();
        for (int channel = 0; channel < parameters.Channels; channel++)
        {
            workspace.ExpandDecoder(decoder.At(image, channel, cellRow, 0), decoder.ColumnStride, weighed: false);
            for (int row = firstRow; row < endRow; row++)
            {
                Accumulate(
                    encoder.At(image, channel, row, 0),
                    encoder.ColumnStride,
                    workspace.Queries,
                    gradient.At(image, channel, row, 0),
                    gradient.ColumnStride,
                    workspace.Sums,
                    queries);
            }
        }
        workspace.Columns.Contract(workspace.Sums, workspace.Cells);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Accumulate(
        TStorage* encoder, nint encoderStride, TReal* decoder, TStorage* gradient, nint gradientStride, TReal* sums, int count)
    {
        int lanes = TSimd.Lanes;
        int column = 0;
        if (encoderStride == 1 && gradientStride == 1)
        {
            for (; column + lanes <= count; column += lanes)
            {
                var difference = TSimd.Subtract(TSimd.LoadStorage(encoder + column), TSimd.Load(decoder + column));
                var sum = TSimd.MultiplyAdd(
                    difference, TSimd.LoadStorage(gradient + column), TSimd.Load(sums + column));
                TSimd.Store(sums + column, sum);
            }
        }
        for (; column < count; column++)
        {
            TReal difference = TSimd.Widen(encoder[column * encoderStride]) - decoder[column];
            sums[column] += difference * TSimd.Widen(gradient[column * gradientStride]);
        }
    }
}
