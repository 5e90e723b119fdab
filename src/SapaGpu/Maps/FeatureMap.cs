using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>A feature map in the memory of a device: logical dimensions [B, C, H, W] in a memory format.</summary>
public abstract class FeatureMap : IDisposable
{
    private int disposed;

    private protected FeatureMap(DeviceMemory memory, MapShape shape, MapLayout layout, ElementType elementType)
    {
        Memory = memory;
        Shape = shape;
        Layout = layout;
        ElementType = elementType;
    }

    /// <summary>Gets the logical dimensions, [B, C, H, W].</summary>
    public MapShape Shape { get; }

    /// <summary>Gets the memory format: contiguous (NCHW) or channels-last (NHWC).</summary>
    public MemoryFormat Format => Layout.Format;

    /// <summary>Gets the element type.</summary>
    public ElementType ElementType { get; }

    /// <summary>Gets the device whose memory holds the map.</summary>
    public ComputeDevice Device => Memory.Device;

    /// <summary>Gets whether the map has been disposed.</summary>
    public bool IsDisposed => Volatile.Read(ref disposed) != 0;

    /// <summary>Gets whether the elements lie in memory without gaps, which those of a view usually do not.</summary>
    public bool IsDense => Layout == MapLayout.Dense(Shape, Format, Layout.Offset);

    /// <summary>
    /// Gets the address of the first element, for code that shares the memory: a host pointer on the CPU, a device
    /// pointer on CUDA. It is valid until the map and all its views, or the device, have been disposed.
    /// </summary>
    /// <exception cref="NotSupportedException">The device is an OpenCL device, whose memory has no address.</exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public nint DataPointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return Device.Kind == DeviceKind.OpenCL
                ? throw new NotSupportedException(
                    $"Not supported on {Device.Id}: OpenCL memory has no address; copy the map with CopyTo.")
                : Memory.NativePointer + (nint)(Layout.Offset * ElementType.Size());
        }
    }

    internal DeviceMemory Memory { get; }

    internal MapLayout Layout { get; }

    /// <summary>Returns shape, element type, memory format and device, as error messages describe an operand.</summary>
    public override string ToString() =>
        $"{Shape} {ElementType.ShortName()} {(Format == MemoryFormat.Contiguous ? "contiguous" : "channels-last")} " +
        $"on {Device.Id}";

    /// <summary>Sets every element to zero.</summary>
    /// <exception cref="ObjectDisposedException">The map or its device has been disposed.</exception>
    public abstract void Clear();

    /// <summary>
    /// Releases the map. Its memory returns to the device when all views and running calls have released it as well.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
            Memory.Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>The elements as kernels take them, in the storage type.</summary>
    internal MapView<TStorage> Map<TStorage>()
        where TStorage : unmanaged => new()
        {
            Data = Memory.View<TStorage>(Layout.Offset + Layout.Span(Shape)),
            Origin = Layout.Offset,
            BatchStride = Layout.BatchStride,
            ChannelStride = Layout.ChannelStride,
            RowStride = Layout.RowStride,
            ColumnStride = Layout.ColumnStride,
        };

    /// <summary>The elements of a vector or a matrix from the first one on.</summary>
    internal ILGPU.ArrayView<TStorage> Elements<TStorage>()
        where TStorage : unmanaged => Memory.View<TStorage>(Layout.Offset + Layout.Span(Shape))
            .SubView(Layout.Offset, Layout.Span(Shape));

    /// <summary>A view of some images, whatever the element type.</summary>
    internal abstract FeatureMap ImagesOf(int first, int count);

    /// <summary>A view of some channels, whatever the element type.</summary>
    internal abstract FeatureMap ChannelsOf(int first, int count);

    /// <summary>A view of a rectangle, whatever the element type.</summary>
    internal abstract FeatureMap CropOf(int row, int column, int height, int width);

    /// <summary>The same map for calls on another stream of its device, whatever the element type.</summary>
    internal abstract FeatureMap SharedOn(ComputeDevice device);

    /// <summary>Writes all elements, in the order of the format, rounded to the element type.</summary>
    internal abstract void WriteNumbers(ReadOnlySpan<double> values);

    /// <summary>Reads all elements, in the order of the format.</summary>
    internal abstract double[] ReadNumbers();

    /// <summary>
    /// Creates a map whose element type is known only at run time. Its content is arbitrary until it is written.
    /// </summary>
    /// <param name="device">The device that holds the map.</param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="format">The memory format.</param>
    /// <param name="elementType">The type of the elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">Format or element type is not defined.</exception>
    /// <exception cref="ArgumentException">The shape is the default value of its type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static FeatureMap Create(
        ComputeDevice device, MapShape shape, MemoryFormat format, ElementType elementType) =>
        elementType.Dispatch<Creation, FeatureMap>(new Creation(device, shape, format));

    /// <summary>
    /// Wraps memory that the caller owns as a map whose element type is known only at run time, without a copy.
    /// </summary>
    /// <inheritdoc cref="FeatureMap{T}.Wrap(ComputeDevice, nint, MapShape, MapStrides)"
    /// path="/*[not(self::summary or self::param)]"/>
    /// <param name="elementType">The type of the elements.</param>
    /// <param name="device">The device that the memory is on.</param>
    /// <param name="pointer">
    /// The first element, as <see cref="FeatureMap{T}.Wrap(ComputeDevice, nint, MapShape, MemoryFormat)"/> takes it.
    /// </param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="strides">The strides in elements; null for contiguous (NCHW) without gaps.</param>
    /// <exception cref="ArgumentOutOfRangeException">The element type is not defined.</exception>
    public static FeatureMap Wrap(
        ElementType elementType, ComputeDevice device, nint pointer, MapShape shape, MapStrides? strides = null) =>
        elementType.Dispatch<Wrapping, FeatureMap>(new Wrapping(device, pointer, shape, strides));

    private readonly struct Creation(ComputeDevice device, MapShape shape, MemoryFormat format) : IElementVisitor<FeatureMap>
    {
        public FeatureMap Visit<T>()
            where T : unmanaged => FeatureMap<T>.Create(device, shape, format);
    }

    private readonly struct Wrapping(ComputeDevice device, nint pointer, MapShape shape, MapStrides? strides)
        : IElementVisitor<FeatureMap>
    {
        public FeatureMap Visit<T>()
            where T : unmanaged => strides is { } own
                ? FeatureMap<T>.Wrap(device, pointer, shape, own)
                : FeatureMap<T>.Wrap(device, pointer, shape);
    }
}

/// <summary>A feature map whose element type is known at compile time.</summary>
/// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
public sealed class FeatureMap<T> : FeatureMap
    where T : unmanaged
{
    private FeatureMap(DeviceMemory memory, MapShape shape, MapLayout layout)
        : base(memory, shape, layout, ElementTypes.Of<T>())
    {
    }

    /// <summary>Creates a map whose content is arbitrary until it is written.</summary>
    /// <param name="device">The device that holds the map.</param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="format">The memory format.</param>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not an element type.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not defined.</exception>
    /// <exception cref="ArgumentException">The shape is the default value of its type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static FeatureMap<T> Create(
        ComputeDevice device, MapShape shape, MemoryFormat format = MemoryFormat.Contiguous)
    {
        ArgumentNullException.ThrowIfNull(device);
        CheckShape(shape);
        EnumChecks.Defined(format);
        using var use = device.Use();
        var memory = DeviceMemory.Allocate(device, ByteCount(shape.ElementCount));
        return new FeatureMap<T>(memory, shape, MapLayout.Dense(shape, format, 0));
    }

    /// <summary>
    /// Creates a map with the shape, format and device of another, without gaps. Its content is arbitrary until it is
    /// written.
    /// </summary>
    /// <param name="map">The other map.</param>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static FeatureMap<T> CreateLike(FeatureMap<T> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return Create(map.Device, map.Shape, map.Format);
    }

    /// <summary>Creates a map and copies values into it.</summary>
    /// <param name="device">The device that holds the map.</param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="values">
    /// B·C·H·W values in the order of <paramref name="format"/>: [B, C, H, W] or [B, H, W, C].
    /// </param>
    /// <param name="format">The memory format of the values and of the map.</param>
    /// <exception cref="ArgumentException">The number of values is not B·C·H·W.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not defined.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not an element type.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static FeatureMap<T> From(
        ComputeDevice device, MapShape shape, ReadOnlySpan<T> values, MemoryFormat format = MemoryFormat.Contiguous)
    {
        CheckShape(shape);
        if (values.Length != shape.ElementCount)
        {
            throw new ArgumentException(
                $"A map of shape {shape} has {shape.ElementCount:N0} elements; got {values.Length:N0} values.",
                nameof(values));
        }
        var map = Create(device, shape, format);
        map.CopyFrom(values);
        return map;
    }

    /// <summary>
    /// Wraps memory that the caller owns as a map without gaps, without a copy. The memory must stay valid and in place
    /// until the map and its views are disposed and the device has finished the calls that use them; the map never
    /// frees it.
    /// </summary>
    /// <param name="device">The device that the memory is on.</param>
    /// <param name="pointer">
    /// The first element. On the CPU, a host pointer. On CUDA, a device pointer of the device's context; memory of
    /// other frameworks needs the primary context (<see cref="DeviceOptions.UsesPrimaryContext"/>). On OpenCL, a memory
    /// object (cl_mem) of the device's context.
    /// </param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="format">The memory format.</param>
    /// <exception cref="ArgumentException">
    /// The pointer is null or not aligned to an element, or the shape is the default value of its type.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not defined.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is not an element type.</exception>
    /// <exception cref="ObjectDisposedException">The device has been disposed.</exception>
    public static FeatureMap<T> Wrap(
        ComputeDevice device, nint pointer, MapShape shape, MemoryFormat format = MemoryFormat.Contiguous)
    {
        CheckShape(shape);
        EnumChecks.Defined(format);
        return Wrap(device, pointer, shape, MapLayout.Dense(shape, format, 0));
    }

    /// <summary>
    /// Wraps memory that the caller owns and that may have gaps, such as a part of a larger array, as a map without a
    /// copy.
    /// </summary>
    /// <inheritdoc cref="Wrap(ComputeDevice, nint, MapShape, MemoryFormat)" path="/*[not(self::summary or self::param)]"/>
    /// <param name="device">The device that the memory is on.</param>
    /// <param name="pointer">The first element, as the other overload takes it.</param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="strides">
    /// The strides in elements, none negative. Either columns have stride 1 and rows, channels and images follow with
    /// larger strides (NCHW), or channels have stride 1 and columns, rows and images follow (NHWC). The stride of a
    /// dimension of size 1 is ignored.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The pointer is null or not aligned to an element, the strides fit neither format, or elements would share
    /// memory.
    /// </exception>
    public static FeatureMap<T> Wrap(ComputeDevice device, nint pointer, MapShape shape, MapStrides strides)
    {
        CheckShape(shape);
        return Wrap(device, pointer, shape, MapLayout.Strided(shape, strides));
    }

    /// <summary>
    /// Returns the elements of a map without gaps in host memory, in the order of its format, without a copy.
    /// </summary>
    /// <returns>A span that is valid until the map and all its views, or the device, have been disposed.</returns>
    /// <exception cref="NotSupportedException">
    /// The device is not the CPU, or the map has gaps or more elements than a span can hold; copy it with
    /// <see cref="CopyTo"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public unsafe Span<T> AsSpan()
    {
        nint pointer = DataPointer;
        if (Device.Kind != DeviceKind.Cpu || !IsDense || Shape.ElementCount > int.MaxValue)
        {
            throw new NotSupportedException(
                $"AsSpan needs a map on the CPU without gaps and with at most {int.MaxValue:N0} elements; got {this}" +
                $"{(IsDense ? string.Empty : " with gaps")}. Copy it with CopyTo.");
        }
        return new Span<T>((void*)pointer, (int)Shape.ElementCount);
    }

    /// <summary>Copies values into the map.</summary>
    /// <param name="values">
    /// B·C·H·W values in the order of the map's format; they may be changed after the call.
    /// </param>
    /// <exception cref="ArgumentException">The number of values is not B·C·H·W.</exception>
    /// <exception cref="ObjectDisposedException">The map or its device has been disposed.</exception>
    public void CopyFrom(ReadOnlySpan<T> values)
    {
        CheckCount(values.Length, nameof(values));
        using var call = Operands.Hold(this);
        if (IsDense)
        {
            Device.Backend.Write(Data().SubView(Layout.Offset, Shape.ElementCount), values);
            return;
        }

        // The gaps may be views of others, who write them at the same time.
        Device.Backend.WriteRuns(
            Data().SubView(Layout.Offset, Layout.Span(Shape)),
            values,
            (int)Layout.RunLength(Shape),
            at => Layout.PositionOf(at, Shape));
    }

    /// <summary>Copies the elements to host memory, after waiting for the calls that were queued before.</summary>
    /// <param name="values">Receives the B·C·H·W elements, in the order of the map's format.</param>
    /// <exception cref="ArgumentException">The number of values is not B·C·H·W.</exception>
    /// <exception cref="ObjectDisposedException">The map or its device has been disposed.</exception>
    public void CopyTo(Span<T> values)
    {
        CheckCount(values.Length, nameof(values));
        using var call = Operands.Hold(this);
        if (IsDense)
        {
            Device.Backend.Read(Data().SubView(Layout.Offset, Shape.ElementCount), values);
            return;
        }
        var range = ReadRange();
        for (int i = 0; i < values.Length; i++)
            values[i] = range[Layout.PositionOf(i, Shape)];
    }

    /// <summary>Copies the elements to an array, in the order of the map's format.</summary>
    /// <exception cref="NotSupportedException">The map has more elements than an array can hold.</exception>
    /// <exception cref="ObjectDisposedException">The map or its device has been disposed.</exception>
    public T[] ToArray()
    {
        CheckArrayLength();
        var values = new T[Shape.ElementCount];
        CopyTo(values);
        return values;
    }

    /// <summary>Copies the elements to an array, in the order of a given format.</summary>
    /// <inheritdoc cref="ToArray()"/>
    /// <param name="format">The order of the elements in the array.</param>
    /// <exception cref="ArgumentOutOfRangeException">The format is not defined.</exception>
    public T[] ToArray(MemoryFormat format) =>
        EnumChecks.Defined(format) == Format ? ToArray() : MapLayout.Reorder(ToArray(), Shape, Format, format);

    /// <summary>Copies the map through host memory to a device, without gaps and in the same format.</summary>
    /// <inheritdoc cref="ToArray()"/>
    /// <param name="device">The device that holds the copy.</param>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public FeatureMap<T> To(ComputeDevice device) => From(device, Shape, ToArray(), Format);

    /// <summary>
    /// Returns the map for calls on another stream of its device (<see cref="ComputeDevice.OnStream"/>): a view that shares the
    /// memory of the map.
    /// </summary>
    /// <param name="device">The device or a view of it, whose stream the calls are queued on.</param>
    /// <remarks>
    /// The caller orders the streams, by events or by <see cref="ComputeDevice.Synchronize"/>: before a call on one that needs what
    /// the other writes, and before the last reference to the memory is disposed, which goes to calls on the stream
    /// where it was created.
    /// </remarks>
    /// <exception cref="DeviceMismatchException">The map is on another device.</exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public FeatureMap<T> On(ComputeDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return device.SharesMemoryWith(Device)
            ? new FeatureMap<T>(DeviceMemory.Share(device, Memory), Shape, Layout)
            : throw new DeviceMismatchException(
                $"The map {this} is in the memory of {Device}, not of {device}; copy it with To(device).");
    }

    /// <summary>
    /// Copies the map through host memory into another memory format, without gaps and on the same device. The bits of
    /// the elements stay the same.
    /// </summary>
    /// <inheritdoc cref="ToArray()"/>
    /// <param name="format">The memory format of the copy.</param>
    /// <exception cref="ArgumentOutOfRangeException">The format is not defined.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have enough memory.</exception>
    public FeatureMap<T> To(MemoryFormat format) => From(Device, Shape, ToArray(format), format);

    /// <inheritdoc/>
    public override void Clear()
    {
        using var call = Operands.Hold(this);
        long run = Layout.RunLength(Shape);
        for (long at = 0; at < Shape.ElementCount; at += run)
            Device.Backend.Clear(Data().SubView(Layout.Offset + Layout.PositionOf(at, Shape), run));
    }

    /// <summary>Returns a view of consecutive images, which shares the memory of the map.</summary>
    /// <param name="first">The first image.</param>
    /// <param name="count">The number of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">The images are not all in the map.</exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public FeatureMap<T> Images(int first, int count)
    {
        CheckRange(first, count, Shape.Batch, "images");
        return View(
            new MapShape(count, Shape.Channels, Shape.Height, Shape.Width), first * Layout.BatchStride);
    }

    /// <summary>Returns a view of consecutive channels, which shares the memory of the map.</summary>
    /// <param name="first">The first channel.</param>
    /// <param name="count">The number of channels.</param>
    /// <exception cref="ArgumentOutOfRangeException">The channels are not all in the map.</exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public FeatureMap<T> Channels(int first, int count)
    {
        CheckRange(first, count, Shape.Channels, "channels");
        return View(
            new MapShape(Shape.Batch, count, Shape.Height, Shape.Width), first * Layout.ChannelStride);
    }

    /// <summary>Returns a view of a rectangle of every image, which shares the memory of the map.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="column">The first column.</param>
    /// <param name="height">The number of rows.</param>
    /// <param name="width">The number of columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is not inside the map.</exception>
    /// <exception cref="ObjectDisposedException">The map has been disposed.</exception>
    public FeatureMap<T> Crop(int row, int column, int height, int width)
    {
        CheckRange(row, height, Shape.Height, "rows");
        CheckRange(column, width, Shape.Width, "columns");
        return View(
            new MapShape(Shape.Batch, Shape.Channels, height, width),
            row * Layout.RowStride + column * Layout.ColumnStride);
    }

    internal override FeatureMap ImagesOf(int first, int count) => Images(first, count);

    internal override FeatureMap ChannelsOf(int first, int count) => Channels(first, count);

    internal override FeatureMap CropOf(int row, int column, int height, int width) => Crop(row, column, height, width);

    internal override FeatureMap SharedOn(ComputeDevice device) => On(device);

    internal override void WriteNumbers(ReadOnlySpan<double> values)
    {
        var rounded = new T[values.Length];
        for (int i = 0; i < rounded.Length; i++)
            rounded[i] = ElementTypes.FromDouble<T>(values[i]);
        CopyFrom(rounded);
    }

    internal override double[] ReadNumbers() => Array.ConvertAll(ToArray(), ElementTypes.ToDouble);

    private static FeatureMap<T> Wrap(ComputeDevice device, nint pointer, MapShape shape, MapLayout layout)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (pointer == 0)
        {
            throw new ArgumentException(
                "The pointer to wrap is null; pass the address of the first element.", nameof(pointer));
        }
        if (device.Kind != DeviceKind.OpenCL && pointer % Unsafe.SizeOf<T>() != 0)
        {
            throw new ArgumentException(
                $"The pointer to wrap, 0x{pointer:x}, is not aligned to the {Unsafe.SizeOf<T>()} bytes of an element.",
                nameof(pointer));
        }
        using var use = device.Use();
        return new FeatureMap<T>(DeviceMemory.Wrap(device, pointer, ByteCount(layout.Span(shape))), shape, layout);
    }

    private static long ByteCount(long elements)
    {
        // A map may be larger than any array, never larger than the address space.
        Int128 bytes = (Int128)elements * Unsafe.SizeOf<T>();
        return bytes <= long.MaxValue / 2
            ? (long)bytes
            : throw new InsufficientMemoryException(
                $"A map of {elements:N0} elements exceeds the address space; use fewer images.");
    }

    private static void CheckShape(MapShape shape)
    {
        if (shape.ElementCount == 0)
        {
            throw new ArgumentException(
                "The shape is default(MapShape); every dimension must be at least 1.", nameof(shape));
        }
    }

    private static void CheckRange(int first, int count, int size, string what)
    {
        if (first < 0 || count < 1 || first > size - count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), $"The map has {size} {what}; a view of {count} from index {first} is not inside it.");
        }
    }

    private FeatureMap<T> View(MapShape shape, long offset)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        Memory.Retain();
        return new FeatureMap<T>(Memory, shape, Layout with { Offset = Layout.Offset + offset });
    }

    private ILGPU.ArrayView<T> Data() => Memory.View<T>(Layout.Offset + Layout.Span(Shape));

    private T[] ReadRange()
    {
        var range = new T[Layout.Span(Shape)];
        Device.Backend.Read<T>(Data().SubView(Layout.Offset, range.Length), range);
        return range;
    }

    private void CheckArrayLength()
    {
        if (Shape.ElementCount > Array.MaxLength)
        {
            throw new NotSupportedException(
                $"A map of shape {Shape} has {Shape.ElementCount:N0} elements, more than an array can hold; " +
                "read it image by image with Images.");
        }
    }

    private void CheckCount(int count, string parameter)
    {
        if (count != Shape.ElementCount)
        {
            throw new ArgumentException(
                $"The map {this} has {Shape.ElementCount:N0} elements; the span has {count:N0}.", parameter);
        }
    }
}
