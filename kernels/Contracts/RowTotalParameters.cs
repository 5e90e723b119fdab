namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of the totals of sums over rows, in a fixed order.</summary>
internal struct RowTotalParameters<TReal>
    where TReal : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels of the sums.</summary>
    public int Channels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>The channels of the result, which has C values in all.</summary>
    public int ResultChannels;

    /// <summary>The sums, [B, C, H, 1].</summary>
    public MapView<TReal> Sums;

    /// <summary>The totals.</summary>
    public MapView<TReal> Result;
}
