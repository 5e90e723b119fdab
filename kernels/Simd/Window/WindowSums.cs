using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The sums of values and the weights of their windows, with what is staged for them: the values with the lanes over
/// channels where output and channels allow it, and else over cells.
/// </summary>
internal unsafe struct WindowSums<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly bool overChannels;
    private readonly int channels;
    private readonly TReal* tile;
    private PixelWindow<TSimd, TStorage, TReal, TVector> pixels;
    private WindowRows<TSimd, TStorage, TReal, TVector> rows;

    /// <summary>Takes scratch memory for a tile.</summary>
    /// <param name="scratch">The scratch memory.</param>
    /// <param name="value">The values.</param>
    /// <param name="output">Where the sums go.</param>
    /// <param name="extent">The problem.</param>
    /// <param name="channels">The channels of both.</param>
    /// <param name="cells">The tile.</param>
    /// <param name="columns">The columns of the widest tile.</param>
    public WindowSums(
        ref ScratchAllocator scratch,
        in MapView<TStorage> value,
        in MapView<TStorage> output,
        in WindowExtent extent,
        int channels,
        in Strip cells,
        int columns)
    {
        this.channels = channels;
        overChannels = SimdFormats.OverChannels(in output, channels, TSimd.Lanes);
        pixels = default;
        rows = default;
        if (overChannels)
            pixels = new(ref scratch, in value, in extent, channels, in cells, columns);
        else
            rows = new(ref scratch, in value, in extent, channels, in cells, columns, replicates: false);
        StripsAtOnce = overChannels
            ? 1
            : WindowSteps<TSimd, TStorage, TReal, TVector>.StripsAtOnce(extent.Taps, columns);
        tile = scratch.Take<TReal>(16L * TSimd.Lanes);
    }

    /// <summary>Gets the strips whose weights are computed before their sums.</summary>
    public int StripsAtOnce { get; }

    /// <summary>The steps in which the sums of a row are computed.</summary>
    public readonly int Steps(int columns) =>
        WindowSteps<TSimd, TStorage, TReal, TVector>.SumSteps(overChannels, channels, columns);

    /// <summary>Stages the windows of a row of cells.</summary>
    public void MoveTo(int row)
    {
        if (overChannels)
            pixels.MoveTo(row);
        else
            rows.MoveTo(row);
    }

    /// <summary>Selects the windows of the cells from a column on.</summary>
    public readonly void Select(int row, int column)
    {
        if (overChannels)
            pixels.Select(row, column);
        else
            rows.Select(row, column);
    }

    /// <summary>output = Σ weights · value for a query pack of the selected strips.</summary>
    /// <param name="weights">The weights, [strip][tap][4][lanes].</param>
    /// <param name="output">Where the sums go.</param>
    /// <param name="extent">The problem.</param>
    /// <param name="strips">The cells.</param>
    /// <param name="row">Their row.</param>
    /// <param name="pack">The query pack.</param>
    /// <param name="next">What is asked for meanwhile.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Run(
        TReal* weights,
        in MapPointer<TStorage> output,
        in WindowExtent extent,
        in Strip strips,
        int row,
        int pack,
        ref PrefetchQueue next)
    {
        if (overChannels)
        {
            WindowSteps<TSimd, TStorage, TReal, TVector>.SumsOverChannels(
                weights, in pixels, channels, in output, in extent, in strips, row, pack, ref next);
        }
        else
        {
            WindowSteps<TSimd, TStorage, TReal, TVector>.SumsOverCells(
                weights,
                rows.Taps,
                extent.Taps,
                rows.ChannelStride,
                channels,
                tile,
                in output,
                in strips,
                row,
                pack,
                in extent,
                ref next);
        }
    }
}
