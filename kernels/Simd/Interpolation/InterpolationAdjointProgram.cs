using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The adjoint of interpolation on the CPU: every input sample gathers, in the order of the output, what it
/// contributed. Tiled as <see cref="InterpolationProgram{TSimd, TStorage, TReal, TVector, TSampling}"/>.
/// </summary>
internal readonly unsafe struct InterpolationAdjointProgram<TSimd, TStorage, TReal, TVector, TSampling>
    : ITileProgram<InterpolationParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TSampling : struct, ISampling
{
    private const int ValuesPerTile = 1 << 13;

    public static long TileCount(in InterpolationParameters<TStorage> parameters) => Tiling(in parameters).Count;

    public static double Operations(in InterpolationParameters<TStorage> parameters) =>
        8.0 * parameters.Batch * parameters.Channels * parameters.Rows.Output * parameters.Columns.Output;

    public static long ScratchBytes(in InterpolationParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    public static void Begin(in InterpolationParameters<TStorage> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        workspace.Columns.Fill<TSampling>(in parameters.Columns);
        workspace.Rows.Fill<TSampling>(in parameters.Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in InterpolationParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<TStorage>(in parameters.Result);
        bool overChannels = IsOverChannels(in parameters);
        var tiling = Tiling(in parameters);
        var rows = tiling.Begin(tile);
        while (tiling.Next(ref rows))
        {
            for (int row = rows.First; row < rows.End; row++)
            {
                if (overChannels)
                    Pixels(in parameters, in source, in result, in workspace, rows.Image, row);
                else
                    Plane(in parameters, in source, in result, in workspace, rows.Image, row);
            }
        }
    }

    private static bool IsOverChannels(in InterpolationParameters<TStorage> parameters) =>
        SimdFormats.OverChannels(in parameters.Source, in parameters.Result, parameters.Channels, TSimd.Lanes);

    private static JoinedRows Tiling(in InterpolationParameters<TStorage> parameters)
    {
        int channels = IsOverChannels(in parameters) ? parameters.Channels : 1;
        return new(
            (long)parameters.Batch * parameters.Channels / channels,
            parameters.Rows.Input,
            (long)parameters.Columns.Input * channels,
            ValuesPerTile);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in Workspace workspace,
        int image,
        int row)
    {
        int lanes = TSimd.Lanes;
        int channels = parameters.Channels;
        var down = workspace.Rows[row];
        int firstRow = workspace.Rows.First(row);
        TStorage* to = result.At(image, 0, row, 0);
        for (int column = 0; column < parameters.Columns.Input; column++)
        {
            var across = workspace.Columns[column];
            TStorage* from = source.At(image, 0, firstRow, workspace.Columns.First(column));
            for (int channel = 0; channel < channels; channel += lanes)
            {
                // The last vector overlaps the one before it.
                int at = Math.Min(channel, channels - lanes);
                var sum = TSimd.Constant(0.0);
                for (int i = 0; i < down.Length; i++)
                {
                    TStorage* gradient = from + i * source.RowStride + at;
                    var rowSum = TSimd.Constant(0.0);
                    for (int j = 0; j < across.Length; j++)
                    {
                        rowSum = TSimd.MultiplyAdd(TSimd.Broadcast(across[j]), TSimd.LoadStorage(gradient), rowSum);
                        gradient += source.ColumnStride;
                    }
                    sum = TSimd.MultiplyAdd(TSimd.Broadcast(down[i]), rowSum, sum);
                }
                TSimd.StoreStorage(to + at, sum);
            }
            to += result.ColumnStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Plane(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in MapPointer<TStorage> result,
        in Workspace workspace,
        int plane,
        int row)
    {
        (int image, int channel) = Math.DivRem(plane, parameters.Channels);
        int input = parameters.Columns.Input;
        SumRows(in parameters, in source, in workspace, image, channel, row);
        TStorage* to = result.At(image, channel, row, 0);
        if (PlanarDoubling.Fits(in parameters.Columns))
        {
            StridedCopy.Gather(workspace.Summed, 2, workspace.Even, input);
            StridedCopy.Gather(workspace.Summed + 1, 2, workspace.Odd, input);
            PlanarDoubling<TSimd, TStorage, TReal, TVector>.Contract<TSampling>(
                workspace.Even, workspace.Odd, workspace.Summed, input);
            TSimd.Scatter(workspace.Summed, to, result.ColumnStride, input);
            return;
        }
        for (int column = 0; column < input; column++)
        {
            var across = workspace.Columns[column];
            TReal* gradient = workspace.Summed + workspace.Columns.First(column);
            TReal sum = TReal.Zero;
            for (int j = 0; j < across.Length; j++)
                sum += across[j] * gradient[j];
            to[column * result.ColumnStride] = TSimd.Narrow(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumRows(
        in InterpolationParameters<TStorage> parameters,
        in MapPointer<TStorage> source,
        in Workspace workspace,
        int image,
        int channel,
        int row)
    {
        int lanes = TSimd.Lanes;
        int output = parameters.Columns.Output;
        var down = workspace.Rows[row];
        TStorage* from = source.At(image, channel, workspace.Rows.First(row), 0);
        int column = 0;
        for (; source.ColumnStride == 1 && column + lanes <= output; column += lanes)
        {
            var sum = TSimd.Constant(0.0);
            for (int i = 0; i < down.Length; i++)
            {
                sum = TSimd.MultiplyAdd(
                    TSimd.Broadcast(down[i]), TSimd.LoadStorage(from + i * source.RowStride + column), sum);
            }
            TSimd.Store(workspace.Summed + column, sum);
        }
        for (; column < output; column++)
        {
            TReal sum = TReal.Zero;
            for (int i = 0; i < down.Length; i++)
                sum += down[i] * TSimd.Widen(from[i * source.RowStride + column * source.ColumnStride]);
            workspace.Summed[column] = sum;
        }
    }

    private readonly ref struct Workspace
    {
        public readonly BilinearWeightTable<TReal> Columns;
        public readonly BilinearWeightTable<TReal> Rows;
        public readonly TReal* Summed;
        public readonly TReal* Even;
        public readonly TReal* Odd;

        public Workspace(ref ScratchAllocator scratch, in InterpolationParameters<TStorage> parameters)
        {
            Columns = new(ref scratch, in parameters.Columns);
            Rows = new(ref scratch, in parameters.Rows);
            Summed = scratch.Take<TReal>(Math.Max(parameters.Columns.Output, parameters.Columns.Input));
            Even = scratch.Take<TReal>(parameters.Columns.Input);
            Odd = scratch.Take<TReal>(parameters.Columns.Input);
        }
    }
}
