using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>Which way rotary positions go.</summary>
internal interface IRotaryDirection
{
    /// <summary>Gets whether the gradient of the input is computed, by the transposed map.</summary>
    static abstract bool IsBackward { get; }
}

/// <summary>The components are turned.</summary>
internal readonly struct RotaryOutput : IRotaryDirection
{
    public static bool IsBackward => false;
}

/// <summary>The gradients of the components are turned back, each with the angle of the component that it came from.</summary>
internal readonly struct RotaryGradient : IRotaryDirection
{
    public static bool IsBackward => true;
}

/// <summary>
/// Rotary positions on the CPU. An angle is the sum of one of the row and one of the column: sines and cosines of both are tables,
/// from which those of the sum are products.
/// </summary>
internal readonly unsafe struct RotaryProgram<TSimd, TElement, TStorage, TReal, TVector, TAngle, TDirection>
    : ITileProgram<RotaryParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TAngle : struct, IRotaryAngle
    where TDirection : struct, IRotaryDirection
{
    private const int PreferredLength = 48;

    public static long TileCount(in RotaryParameters<TStorage, TReal> parameters) => Extent(in parameters).Runs(Length(in parameters));

    public static double Operations(in RotaryParameters<TStorage, TReal> parameters) =>
        8.0 * Extent(in parameters).Pixels * parameters.Channels;

    public static long ScratchBytes(in RotaryParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Begin(in RotaryParameters<TStorage, TReal> parameters, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        for (int column = 0; column < parameters.Width; column++)
        {
            for (int channel = 0; channel < parameters.HeadChannels; channel++)
            {
                TReal angle = TAngle.OfColumn<TElement, TStorage, TReal>(in parameters, channel, column);
                nint at = (nint)column * workspace.TableStride + channel;
                workspace.ColumnCosines[at] = TReal.Cos(angle);
                workspace.ColumnSines[at] = TReal.Sin(angle);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in RotaryParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var extent = Extent(in parameters);
        var span = PixelSpan.Locate(in extent, tile, Length(in parameters));
        for (int channel = 0; channel < parameters.HeadChannels; channel++)
        {
            TReal angle = TAngle.OfRow<TElement, TStorage, TReal>(in parameters, channel, span.Row);
            workspace.RowCosines[channel] = TReal.Cos(angle);
            workspace.RowSines[channel] = TReal.Sin(angle);
        }
        var source = TDirection.IsBackward
            ? new MapPointer<TStorage>(in parameters.Gradient)
            : new MapPointer<TStorage>(in parameters.Input);
        var target = new MapPointer<TStorage>(in parameters.Result);
        PixelRows<TSimd, TStorage, TReal, TVector>.Load(in source, in span, workspace.Pixels, parameters.Channels, workspace.Stride);
        for (int pixel = 0; pixel < span.Count; pixel++)
        {
            Angles(in workspace, span.Column + pixel, parameters.HeadChannels);
            Turn(in parameters, in workspace, workspace.Pixels + (nint)pixel * workspace.Stride);
        }
        PixelRows<TSimd, TStorage, TReal, TVector>.Store(
            workspace.Pixels,
            workspace.Stride,
            in target,
            in span,
            parameters.Channels,
            PixelRows<TSimd, TStorage, TReal, TVector>.Streams(in target, extent.Pixels * parameters.Channels));
    }

    private static PointwiseExtent Extent(in RotaryParameters<TStorage, TReal> parameters) =>
        PointwiseExtent.Of(parameters.Batch, parameters.Channels, parameters.Height, parameters.Width);

    private static int Length(in RotaryParameters<TStorage, TReal> parameters)
    {
        var extent = Extent(in parameters);
        return PixelSpan.EvenLength(in extent, PreferredLength);
    }

    // Cosines of a pixel, and the sines by which the other component is multiplied.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Angles(in Workspace workspace, int column, int channels)
    {
        TReal* columnCosines = workspace.ColumnCosines + (nint)column * workspace.TableStride;
        TReal* columnSines = workspace.ColumnSines + (nint)column * workspace.TableStride;
        for (int channel = 0; channel < channels; channel += TSimd.Lanes)
        {
            var rowCosine = TSimd.Load(workspace.RowCosines + channel);
            var rowSine = TSimd.Load(workspace.RowSines + channel);
            var cosine = TSimd.Load(columnCosines + channel);
            var sine = TSimd.Load(columnSines + channel);
            TSimd.Store(
                workspace.Cosines + channel,
                TSimd.Subtract(TSimd.Multiply(rowCosine, cosine), TSimd.Multiply(rowSine, sine)));
            TSimd.Store(
                workspace.Sines + channel,
                TSimd.MultiplyAdd(rowSine, cosine, TSimd.Multiply(rowCosine, sine)));
        }

        // out₁ = x₁·cos a₁ − x₂·sin a₁ and out₂ = x₂·cos a₂ + x₁·sin a₂; transposed, each takes the other's sine.
        int half = channels / 2;
        if (TDirection.IsBackward)
        {
            for (int channel = 0; channel < half; channel++)
            {
                TReal first = workspace.Sines[channel];
                workspace.Sines[channel] = workspace.Sines[channel + half];
                workspace.Sines[channel + half] = -first;
            }
            return;
        }
        for (int channel = 0; channel < half; channel++)
            workspace.Sines[channel] = -workspace.Sines[channel];
    }

    // Vectors that reach past a head are overwritten by the next one, or fall behind the last channel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn(in RotaryParameters<TStorage, TReal> parameters, in Workspace workspace, TReal* pixel)
    {
        int head = parameters.HeadChannels;
        int half = head / 2;
        for (int first = 0; first < parameters.Channels; first += head)
        {
            new Span<TReal>(pixel + first, half).CopyTo(new Span<TReal>(workspace.Others + first + half, half));
            new Span<TReal>(pixel + first + half, half).CopyTo(new Span<TReal>(workspace.Others + first, half));
        }
        for (int first = 0; first < parameters.Channels; first += head)
        {
            for (int channel = 0; channel < head; channel += TSimd.Lanes)
            {
                var own = TSimd.Load(pixel + first + channel);
                var other = TSimd.Load(workspace.Others + first + channel);
                var turned = TSimd.MultiplyAdd(
                    own,
                    TSimd.Load(workspace.Cosines + channel),
                    TSimd.Multiply(other, TSimd.Load(workspace.Sines + channel)));
                TSimd.Store(workspace.Turned + first + channel, turned);
            }
        }
        new Span<TReal>(workspace.Turned, parameters.Channels).CopyTo(new Span<TReal>(pixel, parameters.Channels));
    }

    private readonly struct Workspace
    {
        public readonly TReal* Pixels;
        public readonly TReal* ColumnCosines;
        public readonly TReal* ColumnSines;
        public readonly TReal* RowCosines;
        public readonly TReal* RowSines;
        public readonly TReal* Cosines;
        public readonly TReal* Sines;
        public readonly TReal* Others;
        public readonly TReal* Turned;
        public readonly int Stride;
        public readonly int TableStride;

        public Workspace(ref ScratchAllocator scratch, in RotaryParameters<TStorage, TReal> parameters)
        {
            Stride = PixelRows<TSimd, TStorage, TReal, TVector>.Stride(parameters.Channels);
            TableStride = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholeVectors(parameters.HeadChannels);
            Pixels = scratch.Take<TReal>((long)Length(in parameters) * Stride);
            ColumnCosines = scratch.Take<TReal>((long)parameters.Width * TableStride);
            ColumnSines = scratch.Take<TReal>((long)parameters.Width * TableStride);
            RowCosines = scratch.Take<TReal>(TableStride);
            RowSines = scratch.Take<TReal>(TableStride);
            Cosines = scratch.Take<TReal>(TableStride);
            Sines = scratch.Take<TReal>(TableStride);
            Others = scratch.Take<TReal>(Stride);
            Turned = scratch.Take<TReal>(Stride);
        }
    }
}
