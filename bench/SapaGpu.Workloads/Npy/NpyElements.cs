namespace SapaGpu.Workloads.Npy;

/// <summary>An array of a .npy file as its bytes, always little-endian and in C order.</summary>
/// <param name="Shape">The dimensions.</param>
/// <param name="Descriptor">The element type in that order of bytes, such as "&lt;f4".</param>
/// <param name="Bytes">The elements.</param>
internal sealed record NpyElements(int[] Shape, string Descriptor, byte[] Bytes)
{
    /// <summary>The dimensions as numpy writes them.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>Makes the bytes those of little-endian elements.</summary>
    public static void ReverseElements(byte[] bytes, int elementSize)
    {
        for (int i = 0; i < bytes.Length; i += elementSize)
            bytes.AsSpan(i, elementSize).Reverse();
    }

    /// <summary>Brings elements from Fortran order, the first index running fastest, to C order.</summary>
    public static byte[] ToRowMajor(byte[] bytes, int[] shape, int elementSize)
    {
        var strides = new long[shape.Length];
        long stride = elementSize;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            strides[axis] = stride;
            stride *= shape[axis];
        }
        var ordered = new byte[bytes.Length];
        var index = new int[shape.Length];
        long from = 0;
        for (int to = 0; to < bytes.Length; to += elementSize)
        {
            bytes.AsSpan((int)from, elementSize).CopyTo(ordered.AsSpan(to));
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                from += strides[axis];
                if (++index[axis] < shape[axis])
                    break;
                from -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
        return ordered;
    }
}
