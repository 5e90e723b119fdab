using System.Runtime.InteropServices;

namespace SapaGpu.Checkpoints;

/// <summary>A tensor of a PyTorch checkpoint: a view of a storage.</summary>
internal sealed class TorchTensor
{
    private readonly long offset;
    private readonly long[] strides;

    private TorchTensor(TorchStorage storage, long offset, int[] shape, long[] strides)
    {
        Storage = storage;
        this.offset = offset;
        Shape = shape;
        this.strides = strides;
        Count = StateShape.ElementCount(shape);
    }

    /// <summary>Gets the storage that holds the elements.</summary>
    public TorchStorage Storage { get; }

    /// <summary>Gets the dimensions.</summary>
    public int[] Shape { get; }

    /// <summary>Gets the number of elements.</summary>
    public long Count { get; }

    /// <summary>Gets whether the elements lie in the storage in order and without gaps.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (int i = Shape.Length - 1; i >= 0; i--)
            {
                if (Shape[i] != 1 && strides[i] != expected)
                    return false;
                expected *= Shape[i];
            }
            return true;
        }
    }

    /// <summary>Creates a tensor.</summary>
    /// <exception cref="InvalidDataException">An element lies outside the storage.</exception>
    public static TorchTensor Create(TorchStorage storage, long offset, long[] sizes, long[] strides)
    {
        if (sizes.Length != strides.Length)
            throw new InvalidDataException($"a tensor has {sizes.Length} dimensions and {strides.Length} strides");
        var shape = Array.ConvertAll(sizes, StateShape.Checked);
        if (offset < 0 || Array.Exists(strides, stride => stride < 0))
            throw new InvalidDataException($"a tensor {StateShape.Text(shape)} has a negative offset or stride");
        var tensor = new TorchTensor(storage, offset, shape, strides);
        Int128 last = offset;
        for (int i = 0; i < shape.Length; i++)
            last += (Int128)(shape[i] - 1) * strides[i];
        if (tensor.Count > 0 && last >= storage.Count)
        {
            throw new InvalidDataException(
                $"a tensor {StateShape.Text(shape)} with strides [{string.Join(", ", strides)}] and offset {offset} " +
                $"reaches past the {storage.Count:N0} elements of its storage");
        }
        return tensor;
    }

    /// <summary>
    /// The elements in order and without gaps; shares memory with a storage in which they lie like that.
    /// </summary>
    public ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> storage)
    {
        int size = Storage.Type.ByteSize();
        if (Count == 0)
            return default;
        if (IsContiguous)
            return storage.Slice((int)(offset * size), (int)(Count * size));
        var bytes = StreamPart.Allocate(Count * size);
        switch (size)
        {
            case sizeof(byte):
                Gather<byte>(storage.Span, bytes);
                break;
            case sizeof(ushort):
                Gather<ushort>(storage.Span, bytes);
                break;
            case sizeof(uint):
                Gather<uint>(storage.Span, bytes);
                break;
            default:
                Gather<ulong>(storage.Span, bytes);
                break;
        }
        return bytes;
    }

    private void Gather<T>(ReadOnlySpan<byte> storage, Span<byte> bytes)
        where T : unmanaged
    {
        var source = MemoryMarshal.Cast<byte, T>(storage);
        var target = MemoryMarshal.Cast<byte, T>(bytes);
        var index = new int[Shape.Length];
        long position = offset;
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = source[(int)position];
            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                position += strides[axis];
                if (++index[axis] < Shape[axis])
                    break;
                position -= strides[axis] * Shape[axis];
                index[axis] = 0;
            }
        }
    }
}
