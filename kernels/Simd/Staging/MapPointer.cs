using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>A <see cref="MapView{T}"/> in host memory as a plain pointer and strides.</summary>
internal readonly unsafe struct MapPointer<T>
    where T : unmanaged
{
    private readonly T* origin;

    /// <summary>Takes the pointer of a view, or of that of its channels from a first one on.</summary>
    public MapPointer(in MapView<T> view, int firstChannel = 0)
    {
        origin = view.Data.Length == 0
            ? null
            : ViewPointer.Of(view.Data) + view.Origin + firstChannel * view.ChannelStride;
        BatchStride = (nint)view.BatchStride;
        ChannelStride = (nint)view.ChannelStride;
        RowStride = (nint)view.RowStride;
        ColumnStride = (nint)view.ColumnStride;
    }

    public nint BatchStride { get; }

    public nint ChannelStride { get; }

    public nint RowStride { get; }

    public nint ColumnStride { get; }

    /// <summary>Gets whether there is no map.</summary>
    public bool IsEmpty => origin is null;

    /// <summary>Gets whether the channels of one position are side by side.</summary>
    public bool IsChannelsLast => ChannelStride == 1;

    public T* At(int image, int channel, int row, int column) =>
        origin + image * BatchStride + channel * ChannelStride + row * RowStride + column * ColumnStride;
}
