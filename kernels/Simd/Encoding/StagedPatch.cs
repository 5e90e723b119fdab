using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The part of a map that a rectangle of a convolution's output reads, with its border, [row][column][channel], normalised and
/// activated where that is asked for.
/// </summary>
internal readonly unsafe struct StagedPatch<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly TReal* pixels;
    private readonly NormSiluTable<TSimd, TStorage, TReal, TVector> table;
    private readonly int channels;
    private readonly int span;
    private readonly int columns;
    private readonly int size;

    public StagedPatch(
        ref ScratchAllocator scratch, in ConvolutionParameters<TStorage, TReal> parameters, int rows, int mostColumns)
    {
        channels = parameters.Extent.InputChannels;
        span = (parameters.Kernel - 1) * parameters.Dilation;
        columns = mostColumns + span;

        // An image of a few channels would be mostly padding.
        Stride = parameters.Activates != 0 || channels >= TSimd.Lanes
            ? MatrixProduct<TSimd, TStorage, TReal, TVector>.WholeVectors(channels)
            : channels;
        size = checked((rows + span) * columns * Stride);
        pixels = scratch.Take<TReal>(size);
        table = new(ref scratch, channels);
    }

    /// <summary>Gets the elements from one pixel to the next.</summary>
    public int Stride { get; }

    /// <summary>Clears what follows the last channel of every pixel, which stays 0.</summary>
    public void Begin() => new Span<TReal>(pixels, size).Clear();

    /// <summary>The pixel at a row and column, which count from the first that is read.</summary>
    public TReal* At(int row, int column) => pixels + ((nint)row * columns + column) * Stride;

    /// <summary>Reads what a rectangle needs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Load(in ConvolutionParameters<TStorage, TReal> parameters, in ConvolutionBlock block)
    {
        var map = new MapPointer<TStorage>(in parameters.Input);
        bool mirrors = parameters.Mirrors != 0;
        bool activates = parameters.Activates != 0;
        if (activates)
            table.Fill(in parameters, block.Image);
        int width = parameters.InputWidth;
        int left = block.Column - parameters.Offset;
        int count = block.Columns + span;
        int first = Math.Clamp(-left, 0, count);
        int end = Math.Clamp(width - left, first, count);
        for (int row = 0; row < block.Rows + span; row++)
        {
            int source = block.Row + row - parameters.Offset;
            if (mirrors)
                source = MirrorAxis.Of(source, parameters.InputHeight);
            if (source < 0 || source >= parameters.InputHeight || first == end)
            {
                Clear(row, 0, count);
                continue;
            }
            var run = new PixelSpan { Image = block.Image, Row = source, Column = left + first, Count = end - first };
            PixelRows<TSimd, TStorage, TReal, TVector>.Load(in map, in run, At(row, first), channels, Stride);
            if (activates)
                table.Apply(At(row, first), Stride, end - first);
            if (mirrors)
            {
                for (int column = 0; column < first; column++)
                    Copy(row, MirrorAxis.Of(left + column, width) - left, column);
                for (int column = end; column < count; column++)
                    Copy(row, MirrorAxis.Of(left + column, width) - left, column);
            }
            else
            {
                Clear(row, 0, first);
                Clear(row, end, count);
            }
        }
    }

    private void Clear(int row, int first, int end) =>
        new Span<TReal>(At(row, first), (end - first) * Stride).Clear();

    private void Copy(int row, int from, int to) =>
        new Span<TReal>(At(row, from), Stride).CopyTo(new Span<TReal>(At(row, to), Stride));
}
