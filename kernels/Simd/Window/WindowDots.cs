using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The dot products of queries and the keys of their windows, with what is staged for them: the keys as they are
/// multiplied, with the lanes over channels where <see cref="PixelDots{TSimd, TStorage, TReal, TVector}"/> can take the
/// queries from memory, and else over cells.
/// </summary>
internal unsafe struct WindowDots<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    // With fewer channels the sums over the lanes cost more than a transposition.
    private const int FewestOverPixels = 64;
    private const int ChannelChunk = WindowSteps<TSimd, TStorage, TReal, TVector>.ChannelChunk;

    private readonly MapPointer<TStorage> query;
    private readonly int channels;
    private readonly TReal* scratchValues;
    private PixelWindow<TSimd, TStorage, TReal, TVector> pixels;
    private WindowRows<TSimd, TStorage, TReal, TVector> rows;

    /// <summary>Takes scratch memory for a tile.</summary>
    /// <param name="scratch">The scratch memory.</param>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="extent">The problem.</param>
    /// <param name="channels">The channels of both.</param>
    /// <param name="cells">The tile.</param>
    /// <param name="columns">The columns of the widest tile.</param>
    /// <param name="replicates">Whether taps outside the map stand for the nearest cell inside.</param>
    /// <param name="needsRows">Whether <see cref="Rows"/> are needed for other things.</param>
    /// <param name="needsPixels">Whether <see cref="Pixels"/> are, where there are any.</param>
    public WindowDots(
        ref ScratchAllocator scratch,
        in MapView<TStorage> query,
        in MapView<TStorage> key,
        in WindowExtent extent,
        int channels,
        in Strip cells,
        int columns,
        bool replicates,
        bool needsRows = false,
        bool needsPixels = false)
    {
        this.query = new MapPointer<TStorage>(in query);
        this.channels = channels;
        OverPixels = !replicates
            && !needsRows
            && (needsPixels || channels >= FewestOverPixels)
            && PixelDots<TSimd, TStorage, TReal, TVector>.Fits(in query, in extent, channels);
        pixels = default;
        rows = default;
        if (OverPixels)
        {
            pixels = new(ref scratch, in key, in extent, channels, in cells, columns);
            scratchValues = scratch.Take<TReal>(
                PixelDots<TSimd, TStorage, TReal, TVector>.ScratchLength(in extent, channels));
        }
        else
        {
            rows = new(ref scratch, in key, in extent, channels, in cells, columns, replicates);
            scratchValues = scratch.Take<TReal>(4L * TSimd.Lanes * Math.Min(channels, ChannelChunk));
        }
    }

    /// <summary>
    /// Gets whether the lanes are channels, so that <see cref="Pixels"/> are staged and not <see cref="Rows"/>.
    /// </summary>
    public bool OverPixels { get; }

    /// <summary>Gets the keys, staged pixel by pixel.</summary>
    public readonly PixelWindow<TSimd, TStorage, TReal, TVector> Pixels => pixels;

    /// <summary>Gets the keys, staged channel by channel.</summary>
    public readonly WindowRows<TSimd, TStorage, TReal, TVector> Rows => rows;

    /// <summary>The steps of what is asked for while a row of a tile is computed.</summary>
    public readonly int Steps(int columns, int taps) => OverPixels
        ? columns
        : (columns + TSimd.Lanes - 1) / TSimd.Lanes * WindowSteps<TSimd, TStorage, TReal, TVector>.DotSteps(
            channels, taps);

    /// <summary>Stages what the windows of a row need and is not there yet; rows must come in order.</summary>
    public void MoveTo(int row)
    {
        if (OverPixels)
            pixels.MoveTo(row);
        else
            rows.MoveTo(row);
    }

    /// <summary>Turns to the strip that starts at a column of the tile.</summary>
    public readonly void Select(int row, int column)
    {
        if (OverPixels)
            pixels.Select(row, column);
        else
            rows.Select(row, column);
    }

    /// <summary>
    /// scores[tap][4][lanes] of a query pack of the strip; those of taps outside the map become
    /// <paramref name="outside"/> unless they stand for a cell inside.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run<TBorder>(
        in WindowExtent extent, in Strip strip, int row, int pack, TReal outside, TReal* scores, ref PrefetchQueue next)
        where TBorder : struct, IBorder
    {
        if (OverPixels)
        {
            PixelDots<TSimd, TStorage, TReal, TVector>.Run(
                in query, in pixels, in extent, in strip, row, pack, channels, scratchValues, scores, ref next);
        }
        else
        {
            for (int first = 0; first < channels; first += ChannelChunk)
            {
                int count = Math.Min(ChannelChunk, channels - first);
                QueryPackTile<TSimd, TStorage, TReal, TVector>.Load(
                    in query, in strip, row, pack, in extent, scratchValues, count, first);
                WindowSteps<TSimd, TStorage, TReal, TVector>.Dots(
                    scratchValues, rows.Taps, extent.Taps, rows.ChannelStride, first, count, scores, ref next);
            }
        }
        WindowSteps<TSimd, TStorage, TReal, TVector>.ScoreOutside<TBorder>(scores, in extent, in strip, row, outside);
    }
}
