using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>The adjoint of average pooling on the CPU: what each output that a cell is part of hands to its cells.</summary>
internal readonly unsafe struct AveragePoolingAdjointProgram<TSimd, TStorage, TReal, TVector>
    : ITileProgram<PoolingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private const int Length = 16;

    public static long TileCount(in PoolingParameters<TStorage> parameters) => Extent(in parameters).Runs(Length);

    public static double Operations(in PoolingParameters<TStorage> parameters) =>
        (double)parameters.Batch * parameters.Channels
            * ((double)parameters.Height * parameters.Width + (double)parameters.OutputHeight * parameters.OutputWidth);

    public static long ScratchBytes(in PoolingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PoolingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, Length);
        var source = new MapPointer<TStorage>(in parameters.Source);
        var target = new MapPointer<TStorage>(in parameters.Result);
        new Span<TReal>(workspace.Totals, Length * workspace.Stride).Clear();
        int top = PoolingAxis.FirstOutput(span.Row, parameters.Height, parameters.OutputHeight);
        int bottom = PoolingAxis.EndOutput(span.Row, parameters.Height, parameters.OutputHeight);
        int left = PoolingAxis.FirstOutput(span.Column, parameters.Width, parameters.OutputWidth);
        int right = PoolingAxis.EndOutput(span.Column + span.Count - 1, parameters.Width, parameters.OutputWidth);
        for (int row = top; row < bottom; row++)
        {
            int height = PoolingAxis.End(row, parameters.Height, parameters.OutputHeight)
                - PoolingAxis.First(row, parameters.Height, parameters.OutputHeight);
            for (int column = left; column < right; column++)
            {
                int first = PoolingAxis.First(column, parameters.Width, parameters.OutputWidth);
                int end = PoolingAxis.End(column, parameters.Width, parameters.OutputWidth);
                var output = new PixelSpan { Image = span.Image, Row = row, Column = column, Count = 1 };
                PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                    in source, in output, workspace.Output, parameters.Channels, workspace.Stride);
                TReal share = TReal.One / TReal.CreateTruncating(height * (double)(end - first));
                int last = Math.Min(end, span.Column + span.Count);
                for (int cell = Math.Max(first, span.Column); cell < last; cell++)
                {
                    RowAccumulator<TSimd, TStorage, TReal, TVector>.Add(
                        workspace.Output,
                        workspace.Totals + (nint)(cell - span.Column) * workspace.Stride,
                        parameters.Channels,
                        share);
                }
            }
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Totals, workspace.Stride, in target, in span, parameters.Channels);
    }

    private static PointwiseExtent Extent(in PoolingParameters<TStorage> parameters) =>
        PointwiseExtent.Of(parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    private readonly struct Workspace
    {
        public readonly TReal* Output;
        public readonly TReal* Totals;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PoolingParameters<TStorage> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            Output = scratch.Take<TReal>(Stride);
            Totals = scratch.Take<TReal>((long)Length * Stride);
        }
    }
}
