using System.Runtime.CompilerServices;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>A feature map on a device: logical dimensions [B, C, H, W] and an order in memory.</summary>
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

    /// <summary>Gets the logical dimensions.</summary>
    public MapShape Shape { get; }

    /// <summary>Gets the order in memory.</summary>
    public MemoryFormat Format => Layout.Format;

    /// <summary>Gets the element type.</summary>
    public ElementType ElementType { get; }

    /// <summary>Gets the device.</summary>
    public ComputeDevice Device => Memory.Device;

    /// <summary>Gets whether the map was disposed.</summary>
    public bool IsDisposed => Volatile.Read(ref disposed) != 0;

    /// <summary>Gets whether the elements fill their memory without gaps; views usually do not.</summary>
    public bool IsDense => Layout == MapLayout.Dense(Shape, Format, Layout.Offset);

    /// <summary>
    /// Gets where the first element is, for code that shares the memory: a host pointer on the CPU, a device pointer on
    /// CUDA. It is valid until the map and every view of it were disposed.
    /// </summary>
    /// <exception cref="NotSupportedException">The device is an OpenCL device, whose memory has no address.</exception>
    /// <exception cref="ObjectDisposedException">The map was disposed.</exception>
    public nint DataPointer
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return Device.Kind == DeviceKind.OpenCL
                ? throw new NotSupportedException("Memory of an OpenCL device has no address.")
                : Memory.NativePointer + (nint)(Layout.Offset * ElementType.Size());
        }
    }

    internal DeviceMemory Memory { get; }

    internal MapLayout Layout { get; }

    /// <summary>Returns dimensions, element type, format and device, as error messages name an operand.</summary>
    public override string ToString() =>
        $"{Shape} {ElementType.ShortName()} {(Format == MemoryFormat.Contiguous ? "contiguous" : "channels-last")} " +
        $"on {Device.Id}";

    /// <summary>Sets every element to zero.</summary>
    public abstract void Clear();

    /// <summary>Lets go of the memory, which stays until views and running calls have let go as well.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
            Memory.Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>The elements as kernels take them, in the type that they are stored in.</summary>
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

    /// <summary>Writes all elements, in the order of the format, rounded to the element type.</summary>
    internal abstract void WriteNumbers(ReadOnlySpan<double> values);

    /// <summary>Reads all elements, in the order of the format.</summary>
    internal abstract double[] ReadNumbers();

    /// <summary>Creates a map of an element type that is known at run time only; its content is arbitrary.</summary>
    /// <param name="device">Where the map lives.</param>
    /// <param name="shape">Its logical dimensions.</param>
    /// <param name="format">Its order in memory.</param>
    /// <param name="elementType">The type of its elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">Format or element type is no value of its enumeration.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have that much memory.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    public static FeatureMap Create(
        ComputeDevice device, MapShape shape, MemoryFormat format, ElementType elementType) =>
        elementType.Dispatch<Creation, FeatureMap>(new Creation(device, shape, format));

    /// <summary>
    /// Makes a map of memory that belongs to someone else, without a copy, whose element type is known at run time
    /// only.
    /// </summary>
    /// <inheritdoc cref="FeatureMap{T}.Wrap(ComputeDevice, nint, MapShape, MapStrides)"/>
    /// <param name="elementType">The type of the elements.</param>
    /// <param name="device">The device that the memory is on.</param>
    /// <param name="pointer">The first element.</param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="strides">The strides; null for NCHW without gaps.</param>
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

/// <summary>A feature map on a device.</summary>
/// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
public sealed class FeatureMap<T> : FeatureMap
    where T : unmanaged
{
    private FeatureMap(DeviceMemory memory, MapShape shape, MapLayout layout)
        : base(memory, shape, layout, ElementTypes.Of<T>())
    {
    }

    /// <summary>Creates a map whose content is arbitrary until it is written.</summary>
    /// <param name="device">Where the map lives.</param>
    /// <param name="shape">Its logical dimensions.</param>
    /// <param name="format">Its order in memory.</param>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is no element type of maps.</exception>
    /// <exception cref="InsufficientMemoryException">The device does not have that much memory.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
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
    /// Creates a map of the shape, format and device of another, without gaps; its content is arbitrary.
    /// </summary>
    /// <param name="map">The other map.</param>
    /// <exception cref="InsufficientMemoryException">The device does not have that much memory.</exception>
    /// <exception cref="ObjectDisposedException">The device was disposed.</exception>
    public static FeatureMap<T> CreateLike(FeatureMap<T> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return Create(map.Device, map.Shape, map.Format);
    }

    /// <summary>Creates a map from values in the order of <paramref name="format"/>.</summary>
    /// <param name="device">Where the map lives.</param>
    /// <param name="shape">Its logical dimensions.</param>
    /// <param name="values">B·C·H·W values, [B, C, H, W] or [B, H, W, C] as the format says.</param>
    /// <param name="format">The order of the values and of the map.</param>
    /// <exception cref="ArgumentException">The number of values is not that of the shape.</exception>
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
    /// Makes a map of memory that belongs to someone else, without a copy. The memory must stay valid and in place
    /// until the map is disposed and the device has finished the calls that use it; it is never freed here.
    /// </summary>
    /// <param name="device">The device that the memory is on.</param>
    /// <param name="pointer">
    /// The first element: a host pointer on the CPU, a device pointer of the same context on CUDA, for memory of other
    /// frameworks the primary one (<see cref="DeviceOptions.UsesPrimaryContext"/>), a memory object (cl_mem) of the
    /// same context on OpenCL.
    /// </param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="format">The order in memory, without gaps.</param>
    /// <exception cref="ArgumentException">The pointer is null or not aligned to an element.</exception>
    public static FeatureMap<T> Wrap(
        ComputeDevice device, nint pointer, MapShape shape, MemoryFormat format = MemoryFormat.Contiguous)
    {
        CheckShape(shape);
        EnumChecks.Defined(format);
        return Wrap(device, pointer, shape, MapLayout.Dense(shape, format, 0));
    }

    /// <summary>
    /// Makes a map of memory that belongs to someone else and has gaps, such as a part of a larger array, without a
    /// copy.
    /// </summary>
    /// <inheritdoc cref="Wrap(ComputeDevice, nint, MapShape, MemoryFormat)"/>
    /// <param name="device">The device that the memory is on.</param>
    /// <param name="pointer">The first element, as the other overload takes it.</param>
    /// <param name="shape">The logical dimensions.</param>
    /// <param name="strides">
    /// The strides in elements. Either the columns of a row lie side by side, with rows, channels and images around
    /// them, or the channels of a position, with columns, rows and images around them.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The pointer is null or not aligned to an element, the strides are of neither format, or elements would share
    /// memory.
    /// </exception>
    public static FeatureMap<T> Wrap(ComputeDevice device, nint pointer, MapShape shape, MapStrides strides)
    {
        CheckShape(shape);
        return Wrap(device, pointer, shape, MapLayout.Strided(shape, strides));
    }

    /// <summary>The elements themselves, in the order of the format, for a map without gaps in host memory.</summary>
    /// <returns>A span that is valid until the map and every view of it were disposed.</returns>
    /// <exception cref="NotSupportedException">
    /// The map is on a GPU, has gaps, or has more elements than a span; copy it with <see cref="CopyTo"/>.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The map was disposed.</exception>
    public unsafe Span<T> AsSpan()
    {
        nint pointer = DataPointer;
        if (Device.Kind != DeviceKind.Cpu || !IsDense || Shape.ElementCount > int.MaxValue)
        {
            throw new NotSupportedException(
                $"The map {this} is not in host memory without gaps, or too large for a span; copy it with CopyTo.");
        }
        return new Span<T>((void*)pointer, (int)Shape.ElementCount);
    }

    /// <summary>Writes all elements from values in the order of the map's format.</summary>
    /// <exception cref="ArgumentException">The number of values is not that of the map.</exception>
    public void CopyFrom(ReadOnlySpan<T> values)
    {
        CheckCount(values.Length, nameof(values));
        using var call = Operands.Hold(this);
        if (IsDense)
        {
            Device.Backend.Write(Data().SubView(Layout.Offset, Shape.ElementCount), values);
            return;
        }

        // A view with gaps is written by way of the range it spans, whose other elements are kept.
        var range = ReadRange();
        for (long i = 0; i < values.Length; i++)
            range[Layout.PositionOf(i, Shape)] = values[(int)i];
        Device.Backend.Write<T>(Data().SubView(Layout.Offset, range.Length), range);
    }

    /// <summary>Reads all elements, in the order of the map's format.</summary>
    /// <exception cref="ArgumentException">The number of values is not that of the map.</exception>
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

    /// <summary>Reads all elements, in the order of the map's format.</summary>
    public T[] ToArray()
    {
        CheckArrayLength();
        var values = new T[Shape.ElementCount];
        CopyTo(values);
        return values;
    }

    /// <summary>Reads all elements in the order of a format.</summary>
    public T[] ToArray(MemoryFormat format) =>
        EnumChecks.Defined(format) == Format ? ToArray() : MapLayout.Reorder(ToArray(), Shape, Format, format);

    /// <summary>Copies the map, without gaps and in the same format, to a device.</summary>
    public FeatureMap<T> To(ComputeDevice device) => From(device, Shape, ToArray(), Format);

    /// <summary>Copies the map, without gaps and in a given format, by way of the host, bit by bit.</summary>
    public FeatureMap<T> To(MemoryFormat format) => From(Device, Shape, ToArray(format), format);

    /// <inheritdoc/>
    public override void Clear()
    {
        if (!IsDense)
        {
            CopyFrom(new T[Shape.ElementCount]);
            return;
        }
        using var call = Operands.Hold(this);
        Device.Backend.Clear(Data().SubView(Layout.Offset, Shape.ElementCount));
    }

    /// <summary>A view of some images, which shares the memory.</summary>
    /// <param name="first">The first image.</param>
    /// <param name="count">The number of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">The images are not all in the map.</exception>
    public FeatureMap<T> Images(int first, int count)
    {
        CheckRange(first, count, Shape.Batch, "images");
        return View(
            new MapShape(count, Shape.Channels, Shape.Height, Shape.Width), first * Layout.BatchStride);
    }

    /// <summary>A view of some channels, which shares the memory.</summary>
    /// <param name="first">The first channel.</param>
    /// <param name="count">The number of channels.</param>
    /// <exception cref="ArgumentOutOfRangeException">The channels are not all in the map.</exception>
    public FeatureMap<T> Channels(int first, int count)
    {
        CheckRange(first, count, Shape.Channels, "channels");
        return View(
            new MapShape(Shape.Batch, count, Shape.Height, Shape.Width), first * Layout.ChannelStride);
    }

    /// <summary>A view of a rectangle of every image, which shares the memory.</summary>
    /// <param name="row">The first row.</param>
    /// <param name="column">The first column.</param>
    /// <param name="height">The number of rows.</param>
    /// <param name="width">The number of columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is not inside the map.</exception>
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
            throw new ArgumentException("The pointer to wrap is null.", nameof(pointer));
        if (device.Kind != DeviceKind.OpenCL && pointer % Unsafe.SizeOf<T>() != 0)
        {
            throw new ArgumentException(
                $"The pointer to wrap, 0x{pointer:x}, is not a multiple of {Unsafe.SizeOf<T>()}.", nameof(pointer));
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
            : throw new InsufficientMemoryException($"A map of {elements:N0} elements fits no device.");
    }

    private static void CheckShape(MapShape shape)
    {
        if (shape.ElementCount == 0)
            throw new ArgumentException("The shape was never set; every dimension is at least 1.", nameof(shape));
    }

    private static void CheckRange(int first, int count, int size, string what)
    {
        if (first < 0 || count < 1 || first > size - count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(first), $"{what} {first} to {(long)first + count - 1} are not within 0 to {size - 1}.");
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
                $"A map of shape {Shape} has {Shape.ElementCount:N0} elements, more than an array holds; " +
                "read it image by image with Images.");
        }
    }

    private void CheckCount(int count, string parameter)
    {
        if (count != Shape.ElementCount)
        {
            throw new ArgumentException(
                $"The map {this} has {Shape.ElementCount:N0} elements; got space for {count:N0}.", parameter);
        }
    }
}
