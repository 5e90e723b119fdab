using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Guided;

/// <summary>
/// Sums over square windows for a run of pixels in one row: first down the columns, for the run and what windows reach beside it,
/// then across. Tap by tap: a running sum would be less work for large windows, but its rounding would depend on where it began.
/// </summary>
internal sealed class WindowSums
{
    /// <summary>The most sums that are taken at once.</summary>
    public const int Most = 9;

    private readonly int stride;
    private readonly int radius;
    private readonly int margin;
    private readonly int padded;
    private readonly float[] down;
    private readonly float[] across;
    private int first;
    private int last;
    private PixelRun run;

    /// <summary>Makes room for rows of a length, which is a whole number of vectors.</summary>
    public WindowSums(int stride, int radius)
    {
        this.stride = stride;
        this.radius = radius;
        margin = PixelRun.RoundUp(radius);
        padded = stride + 2 * margin;
        down = new float[Most * padded];
        across = new float[Most * stride];
    }

    /// <summary>Begins with another run. What lies beyond the row counts as zero.</summary>
    public void Begin(PixelRun next)
    {
        run = next;
        first = Math.Max(0, next.First - margin);
        last = Math.Min(stride, next.Last + margin);
    }

    /// <summary>The sums over windows, by their number.</summary>
    public Span<Vector<float>> this[int sum] => MemoryMarshal.Cast<float, Vector<float>>(Numbers(sum));

    /// <summary>The sums over windows as numbers.</summary>
    public Span<float> Numbers(int sum) => across.AsSpan(sum * stride, run.Count);

    /// <summary>The sums of three rows, and of their six products: 11, 12, 13, 22, 23, 33.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddMoments(ReadOnlySpan<float> one, ReadOnlySpan<float> two, ReadOnlySpan<float> three, int rows)
    {
        ref float a = ref At(one), b = ref At(two), c = ref At(three);
        for (int i = 0; i < last - first; i += Vector<float>.Count)
        {
            Vector<float> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default;
            Vector<float> s5 = default, s6 = default, s7 = default, s8 = default;
            nuint offset = (nuint)i;
            for (int row = 0; row < rows; row++, offset += (nuint)stride)
            {
                var x = Vector.LoadUnsafe(ref a, offset);
                var y = Vector.LoadUnsafe(ref b, offset);
                var z = Vector.LoadUnsafe(ref c, offset);
                s0 += x;
                s1 += y;
                s2 += z;
                s3 += x * x;
                s4 += x * y;
                s5 += x * z;
                s6 += y * y;
                s7 += y * z;
                s8 += z * z;
            }
            Store(0, i, s0);
            Store(1, i, s1);
            Store(2, i, s2);
            Store(3, i, s3);
            Store(4, i, s4);
            Store(5, i, s5);
            Store(6, i, s6);
            Store(7, i, s7);
            Store(8, i, s8);
        }
        AddAcross(Most);
    }

    /// <summary>The sums of a row, and of its products with three others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddProducts(
        ReadOnlySpan<float> factor, ReadOnlySpan<float> one, ReadOnlySpan<float> two, ReadOnlySpan<float> three, int rows)
    {
        ref float f = ref At(factor), a = ref At(one), b = ref At(two), c = ref At(three);
        for (int i = 0; i < last - first; i += Vector<float>.Count)
        {
            Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
            nuint offset = (nuint)i;
            for (int row = 0; row < rows; row++, offset += (nuint)stride)
            {
                var x = Vector.LoadUnsafe(ref f, offset);
                s0 += x;
                s1 += x * Vector.LoadUnsafe(ref a, offset);
                s2 += x * Vector.LoadUnsafe(ref b, offset);
                s3 += x * Vector.LoadUnsafe(ref c, offset);
            }
            Store(0, i, s0);
            Store(1, i, s1);
            Store(2, i, s2);
            Store(3, i, s3);
        }
        AddAcross(4);
    }

    /// <summary>The sums of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(
        ReadOnlySpan<float> one, ReadOnlySpan<float> two, ReadOnlySpan<float> three, ReadOnlySpan<float> four, int rows)
    {
        ref float a = ref At(one), b = ref At(two), c = ref At(three), d = ref At(four);
        for (int i = 0; i < last - first; i += Vector<float>.Count)
        {
            Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
            nuint offset = (nuint)i;
            for (int row = 0; row < rows; row++, offset += (nuint)stride)
            {
                s0 += Vector.LoadUnsafe(ref a, offset);
                s1 += Vector.LoadUnsafe(ref b, offset);
                s2 += Vector.LoadUnsafe(ref c, offset);
                s3 += Vector.LoadUnsafe(ref d, offset);
            }
            Store(0, i, s0);
            Store(1, i, s1);
            Store(2, i, s2);
            Store(3, i, s3);
        }
        AddAcross(4);
    }

    private ref float At(ReadOnlySpan<float> rows) => ref MemoryMarshal.GetReference(rows[first..]);

    private void Store(int sum, int i, Vector<float> value) => value.CopyTo(down.AsSpan(sum * padded + margin + first + i));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddAcross(int count)
    {
        int taps = 2 * radius + 1;
        for (int number = 0; number < count; number++)
        {
            var sums = this[number];
            ref float start = ref down[number * padded + margin + run.First - radius];
            for (int i = 0; i < sums.Length; i++)
            {
                nuint offset = (nuint)(i * Vector<float>.Count);
                var sum = Vector.LoadUnsafe(ref start, offset);
                for (int tap = 1; tap < taps; tap++)
                    sum += Vector.LoadUnsafe(ref start, offset + (nuint)tap);
                sums[i] = sum;
            }
        }
    }
}
