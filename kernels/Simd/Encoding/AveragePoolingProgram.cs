using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>Average pooling on the CPU, a run of outputs at a time with all their channels.</summary>
internal readonly unsafe struct AveragePoolingProgram<TSimd, TStorage, TReal, TVector> : ITileProgram<PoolingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    // Regions are read in pieces of so many cells.
    private const int Piece = 32;
    private const int PreferredLength = 16;

    public static long TileCount(in PoolingParameters<TStorage> parameters) => Extent(in parameters).Runs(PreferredLength);

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
        var span = PixelSpan.Locate(in extent, tile, PreferredLength);
        var source = new MapPointer<TStorage>(in parameters.Source);
        var target = new MapPointer<TStorage>(in parameters.Result);
        int top = PoolingAxis.First(span.Row, parameters.Height, parameters.OutputHeight);
        int bottom = PoolingAxis.End(span.Row, parameters.Height, parameters.OutputHeight);
        for (int output = 0; output < span.Count; output++)
        {
            int left = PoolingAxis.First(span.Column + output, parameters.Width, parameters.OutputWidth);
            int right = PoolingAxis.End(span.Column + output, parameters.Width, parameters.OutputWidth);
            TReal* total = workspace.Totals + (nint)output * workspace.Stride;
            new Span<TReal>(total, workspace.Stride).Clear();
            for (int row = top; row < bottom; row++)
            {
                for (int column = left; column < right; column += Piece)
                {
                    var cells = new PixelSpan
                    {
                        Image = span.Image,
                        Row = row,
                        Column = column,
                        Count = Math.Min(Piece, right - column),
                    };
                    PixelRows<TSimd, TStorage, TReal, TVector>.Load(
                        in source, in cells, workspace.Cells, parameters.Channels, workspace.Stride);
                    Add(in workspace, cells.Count, parameters.Channels, total);
                }
            }
            Divide(total, parameters.Channels, (bottom - top) * (double)(right - left));
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Totals, workspace.Stride, in target, in span, parameters.Channels);
    }

    private static PointwiseExtent Extent(in PoolingParameters<TStorage> parameters) =>
        PointwiseExtent.Of(parameters.Batch, parameters.Channels, parameters.OutputHeight, parameters.OutputWidth);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(in Workspace workspace, int count, int channels, TReal* total)
    {
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            var sum = TSimd.Constant(0.0);
            TReal* cell = workspace.Cells + channel;
            for (int i = 0; i < count; i++)
            {
                sum = TSimd.Add(sum, TSimd.Load(cell));
                cell += workspace.Stride;
            }
            TSimd.Store(total + channel, TSimd.Add(TSimd.Load(total + channel), sum));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Divide(TReal* total, int channels, double count)
    {
        var divisor = TSimd.Constant(count);
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
            TSimd.Store(total + channel, TSimd.Divide(TSimd.Load(total + channel), divisor));
    }

    private readonly struct Workspace
    {
        public readonly TReal* Cells;
        public readonly TReal* Totals;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PoolingParameters<TStorage> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            Cells = scratch.Take<TReal>((long)Piece * Stride);
            Totals = scratch.Take<TReal>((long)PreferredLength * Stride);
        }
    }
}
