using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// A copy with a mirrored border on the CPU, or its adjoint: a run of the pixels without border is written to every place that
/// mirrors them, or is the sum of these places.
/// </summary>
internal readonly unsafe struct MirrorPaddingProgram<TSimd, TStorage, TReal, TVector, TStep> : ITileProgram<PaddingParameters<TStorage>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TStep : struct, IMirrorStep
{
    private const int Length = 32;

    public static long TileCount(in PaddingParameters<TStorage> parameters) => Extent(in parameters).Runs(Length);

    public static double Operations(in PaddingParameters<TStorage> parameters) =>
        4.0 * Extent(in parameters).Pixels * parameters.Channels;

    public static long ScratchBytes(in PaddingParameters<TStorage> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in PaddingParameters<TStorage> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, Length);
        var source = new MapPointer<TStorage>(in parameters.Source);
        var result = new MapPointer<TStorage>(in parameters.Result);
        var inner = TStep.IsAdjoint ? result : source;
        var outer = TStep.IsAdjoint ? source : result;
        int channels = parameters.Channels;
        if (TStep.IsAdjoint)
            new Span<TReal>(workspace.Totals, Length * workspace.Stride).Clear();
        else
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in inner, in span, workspace.Totals, channels, workspace.Stride);
        for (int side = -1; side <= 1; side++)
        {
            if (!TryPlace(span.Row, side, parameters.Height, parameters.Border, out int row))
                continue;
            var run = span with { Row = row, Column = span.Column + parameters.Border };
            Move(in workspace, in outer, in run, 0, channels);
            for (int pixel = 0; pixel < span.Count; pixel++)
            {
                for (int end = -1; end <= 1; end += 2)
                {
                    if (TryPlace(span.Column + pixel, end, parameters.Width, parameters.Border, out int column))
                    {
                        var single = run with { Column = column, Count = 1 };
                        Move(in workspace, in outer, in single, pixel, channels);
                    }
                }
            }
        }
        if (TStep.IsAdjoint)
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(workspace.Totals, workspace.Stride, in inner, in span, channels);
    }

    private static PointwiseExtent Extent(in PaddingParameters<TStorage> parameters) =>
        PointwiseExtent.Of(parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    // Where an index is with the border: itself, or mirrored before the first (side −1) or after the last (side 1).
    private static bool TryPlace(int index, int side, int length, int border, out int place)
    {
        if (side == 0)
        {
            place = border + index;
            return true;
        }
        int distance = side < 0 ? index : length - 1 - index;
        place = side < 0 ? border - distance : border + length - 1 + distance;
        return distance >= 1 && distance <= border;
    }

    private static void Move(
        in Workspace workspace, in MapPointer<TStorage> outer, in PixelSpan run, int pixel, int channels)
    {
        TReal* values = workspace.Totals + (nint)pixel * workspace.Stride;
        if (!TStep.IsAdjoint)
        {
            PixelRows<TSimd, TStorage, TReal, TVector>.Store(values, workspace.Stride, in outer, in run, channels);
            return;
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(in outer, in run, workspace.Values, channels, workspace.Stride);
        for (int i = 0; i < run.Count; i++)
        {
            nint at = (nint)i * workspace.Stride;
            RowAccumulator<TSimd, TStorage, TReal, TVector>.Add(workspace.Values + at, values + at, channels, TReal.One);
        }
    }

    private readonly struct Workspace
    {
        public readonly TReal* Values;
        public readonly TReal* Totals;
        public readonly int Stride;

        public Workspace(ref ScratchAllocator scratch, in PaddingParameters<TStorage> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            Values = scratch.Take<TReal>((long)Length * Stride);
            Totals = scratch.Take<TReal>((long)Length * Stride);
        }
    }
}

/// <summary>Which way a mirrored border goes.</summary>
internal interface IMirrorStep
{
    /// <summary>Gets whether the border is added to what it mirrors.</summary>
    static abstract bool IsAdjoint { get; }
}

/// <summary>The border is written.</summary>
internal readonly struct MirrorOutput : IMirrorStep
{
    public static bool IsAdjoint => false;
}

/// <summary>The border is added to what it mirrors.</summary>
internal readonly struct MirrorGradient : IMirrorStep
{
    public static bool IsAdjoint => true;
}
