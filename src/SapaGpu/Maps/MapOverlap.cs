namespace SapaGpu.Maps;

/// <summary>
/// Decides whether two maps share an element. Views of one map often interleave in memory, row by row or channel by
/// channel, and still have no element in common.
/// </summary>
internal static class MapOverlap
{
    private const int Dimensions = 4;

    // Layouts that have nothing to do with one another may take long to compare; they count as sharing memory then.
    private const int MostSteps = 10_000;

    /// <summary>Whether two maps share an element.</summary>
    public static bool Exists(FeatureMap a, FeatureMap b)
    {
        // Different memory objects of OpenCL have no addresses to compare.
        if (!ReferenceEquals(a.Memory, b.Memory) && a.Memory.NativePointer != b.Memory.NativePointer
            && a.Device.Kind == DeviceKind.OpenCL)
        {
            return false;
        }
        var (first, firstEnd) = Range(a);
        var (second, secondEnd) = Range(b);
        return first < secondEnd && second < firstEnd && HasCommonByte(a, b, second - first);
    }

    // Byte p of element i of one map is byte q of element j of the other where Σ (i − j)·stride + p − q is the distance
    // of their beginnings, each index in its own range. Equal strides share a term.
    private static bool HasCommonByte(FeatureMap a, FeatureMap b, Int128 distance)
    {
        Span<Term> terms = stackalloc Term[2 * Dimensions + 1];
        int count = 0;
        Add(terms, ref count, 1, 1 - b.ElementType.Size(), a.ElementType.Size() - 1);
        Add(terms, ref count, a, isFirst: true);
        Add(terms, ref count, b, isFirst: false);
        terms = terms[..count];
        terms.Sort((x, y) => y.Stride.CompareTo(x.Stride));
        int steps = MostSteps;
        return HasSolution(terms, distance, ref steps);
    }

    private static void Add(Span<Term> terms, ref int count, FeatureMap map, bool isFirst)
    {
        var (shape, layout) = (map.Shape, map.Layout);
        ReadOnlySpan<(long Stride, int Size)> dimensions =
        [
            (layout.BatchStride, shape.Batch), (layout.ChannelStride, shape.Channels), (layout.RowStride, shape.Height),
            (layout.ColumnStride, shape.Width),
        ];
        foreach (var (stride, size) in dimensions)
        {
            if (size > 1)
            {
                long last = size - 1;
                Add(terms, ref count, (Int128)stride * map.ElementType.Size(), isFirst ? 0 : -last, isFirst ? last : 0);
            }
        }
    }

    private static void Add(Span<Term> terms, ref int count, Int128 stride, long low, long high)
    {
        foreach (ref var term in terms[..count])
        {
            if (term.Stride == stride)
            {
                term = new Term(stride, term.Low + low, term.High + high);
                return;
            }
        }
        terms[count++] = new Term(stride, low, high);
    }

    // The larger a stride, the fewer of its multiples leave a distance that the smaller ones can make up.
    private static bool HasSolution(ReadOnlySpan<Term> terms, Int128 distance, ref int steps)
    {
        if (terms.IsEmpty)
            return distance == 0;
        Int128 low = 0;
        Int128 high = 0;
        foreach (var term in terms[1..])
        {
            low += term.Stride * term.Low;
            high += term.Stride * term.High;
        }
        var first = terms[0];
        var from = Int128.Max(first.Low, -Floor(high - distance, first.Stride));
        var to = Int128.Min(first.High, Floor(distance - low, first.Stride));
        for (var index = from; index <= to; index++)
        {
            if (--steps < 0 || HasSolution(terms[1..], distance - index * first.Stride, ref steps))
                return true;
        }
        return false;
    }

    private static Int128 Floor(Int128 value, Int128 divisor) =>
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);

    private static (Int128 First, Int128 End) Range(FeatureMap map)
    {
        int size = map.ElementType.Size();
        Int128 first = (Int128)map.Memory.NativePointer + (Int128)map.Layout.Offset * size;
        return (first, first + (Int128)map.Layout.Span(map.Shape) * size);
    }

    // An index from Low to High that is multiplied by a stride, in bytes.
    private readonly record struct Term(Int128 Stride, long Low, long High);
}
