using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// A feature map in device memory: logical index (image, channel, row, column) with strides in elements, all 64-bit.
/// In the channels-last format the channel stride is 1, in the contiguous format the column stride is 1.
/// </summary>
/// <typeparam name="T">The element type in memory.</typeparam>
internal struct MapView<T>
    where T : unmanaged
{
    /// <summary>The memory.</summary>
    public ArrayView<T> Data;

    /// <summary>The position of element (0, 0, 0, 0), negative when the memory holds only later rows.</summary>
    public long Origin;

    /// <summary>Elements from one image to the next.</summary>
    public long BatchStride;

    /// <summary>Elements from one channel to the next.</summary>
    public long ChannelStride;

    /// <summary>Elements from one row to the next.</summary>
    public long RowStride;

    /// <summary>Elements from one column to the next.</summary>
    public long ColumnStride;

    /// <summary>The position of an element.</summary>
    public readonly long Offset(int image, int channel, int row, int column) =>
        Origin + image * BatchStride + channel * ChannelStride + row * RowStride + column * ColumnStride;
}
