using System.Numerics;

namespace SapaGpu.Kernels.Maps;


/// <summary>The contract of interpolation to another size and of its adjoint.</summary>
public struct InterpolationParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>B, the number of images.</summary>
    public int Batch;

    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>The rows of the input and of the output.</summary>
    public SampleAxis Rows;

    /// <summary>The columns of the input and of the output.</summary>
    public SampleAxis Columns;

    /// <summary>The input, [B, C, H, W], or for the adjoint the gradient of the output, [B, C, OH, OW].</summary>
    public MapView<TStorage> Source;

    /// <summary>The output, [B, C, OH, OW], or for the adjoint the gradient of the input, [B, C, H, W].</summary>
    public MapView<TStorage> Result;
}

/// <summary>One axis of an interpolation.</summary>
public struct SampleAxis
{
    /// <summary>The samples of the input.</summary>
    public int Input;

    /// <summary>The samples of the output.</summary>
    public int Output;

    /// <summary>Whether the first and the last samples of both sides coincide.</summary>
    public int AlignCorners;
}

/// <summary>Between which input samples an output sample lies.</summary>
public struct SamplePlace
{
    /// <summary>The sample before it.</summary>
    public int Low;

    /// <summary>The sample after it, or the same one at the end.</summary>
    public int High;

    /// <summary>The way from one to the other, as a fraction with <see cref="Denominator"/>.</summary>
    public int Numerator;

    /// <summary>The denominator of the way, positive.</summary>
    public int Denominator;
}

/// <summary>Where an output sample is taken from. The arithmetic is on whole numbers, so no place is rounded.</summary>
public interface ISampling
{
    /// <summary>Gets whether an output sample may lie between two input samples; if not, it is a copy of one.</summary>
    static abstract bool Blends { get; }

    /// <summary>The place of an output sample.</summary>
    static abstract SamplePlace Locate(in SampleAxis axis, int output);

    /// <summary>An output sample that does not come after the first one that an input sample contributes to.</summary>
    static abstract int First(in SampleAxis axis, int input);

    /// <summary>An output sample that comes after the last one that an input sample contributes to.</summary>
    static abstract int End(in SampleAxis axis, int input);
}

/// <summary>The nearest sample, ⌊output·H/OH⌋.</summary>
public readonly struct NearestSampling : ISampling
{
    /// <inheritdoc/>
    public static bool Blends => false;

    /// <inheritdoc/>
    public static SamplePlace Locate(in SampleAxis axis, int output)
    {
        int low = (int)((long)output * axis.Input / axis.Output);
        return new SamplePlace { Low = low, High = low, Numerator = 0, Denominator = 1 };
    }

    /// <inheritdoc/>
    public static int First(in SampleAxis axis, int input) =>
        (int)(((long)input * axis.Output + axis.Input - 1) / axis.Input);

    /// <inheritdoc/>
    public static int End(in SampleAxis axis, int input) => First(in axis, input + 1);
}

/// <summary>
/// Linear between two samples: the place is (output + ½)·H/OH − ½, at least 0, or with aligned corners
/// output·(H − 1)/(OH − 1).
/// </summary>
public readonly struct LinearSampling : ISampling
{
    /// <inheritdoc/>
    public static bool Blends => true;

    /// <inheritdoc/>
    public static SamplePlace Locate(in SampleAxis axis, int output)
    {
        long numerator;
        long denominator;
        if (axis.AlignCorners != 0)
        {
            numerator = (long)output * (axis.Input - 1);
            denominator = axis.Output > 1 ? axis.Output - 1 : 1;
        }
        else
        {
            numerator = (2L * output + 1) * axis.Input - axis.Output;
            numerator = numerator > 0 ? numerator : 0;
            denominator = 2L * axis.Output;
        }
        long low = numerator / denominator;
        return new SamplePlace
        {
            Low = (int)low,
            High = (int)(low < axis.Input - 1 ? low + 1 : low),
            Numerator = (int)(numerator - low * denominator),
            Denominator = (int)denominator,
        };
    }

    /// <inheritdoc/>
    public static int First(in SampleAxis axis, int input)
    {
        if (input == 0)
            return 0;
        long first = axis.AlignCorners != 0
            ? axis.Input > 1 ? (long)(input - 1) * (axis.Output - 1) / (axis.Input - 1) : 0
            : ((2L * input - 1) * axis.Output / axis.Input - 1) / 2 - 1;
        return first > 0 ? (int)first : 0;
    }

    /// <inheritdoc/>
    public static int End(in SampleAxis axis, int input)
    {
        if (input == axis.Input - 1)
            return axis.Output;
        long end = axis.AlignCorners != 0
            ? (long)(input + 1) * (axis.Output - 1) / (axis.Input - 1) + 1
            : ((2L * input + 3) * axis.Output / axis.Input - 1) / 2 + 2;
        return end < axis.Output ? (int)end : axis.Output;
    }
}

/// <summary>Interpolation: a value is the weighted sum of up to four samples.</summary>
public readonly struct Interpolation<TElement, TStorage, TAccumulator, TSampling>
    : IMapProgram<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TSampling : struct, ISampling
{
    /// <inheritdoc/>
    public static MapExtent Extent(in InterpolationParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Output, parameters.Columns.Output);

    /// <inheritdoc/>
    public static double OperationsPerValue(in InterpolationParameters<TStorage> parameters) => 16;

    /// <inheritdoc/>
    public static void Apply(in InterpolationParameters<TStorage> parameters, in MapPosition at)
    {
        var row = TSampling.Locate(in parameters.Rows, at.Row);
        var column = TSampling.Locate(in parameters.Columns, at.Column);
        ref readonly var source = ref parameters.Source;
        long low = source.Offset(at.Image, at.Channel, row.Low, column.Low);
        if (!TSampling.Blends)
        {
            parameters.Result.Data[at.In(in parameters.Result)] = source.Data[low];
            return;
        }
        var down = Fraction(in row);
        var across = Fraction(in column);
        long rowStep = (row.High - row.Low) * source.RowStride;
        long columnStep = (column.High - column.Low) * source.ColumnStride;
        var a = TElement.Load(source.Data[low]);
        var b = TElement.Load(source.Data[low + columnStep]);
        var c = TElement.Load(source.Data[low + rowStep]);
        var d = TElement.Load(source.Data[low + rowStep + columnStep]);
        var left = TAccumulator.One - across;
        var value = (TAccumulator.One - down) * (left * a + across * b) + down * (left * c + across * d);
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(value);
    }

    internal static TAccumulator Fraction(in SamplePlace place) =>
        TElement.FromCount(place.Numerator) / TElement.FromCount(place.Denominator);
}

/// <summary>
/// The adjoint of interpolation: an input sample collects, in a fixed order, what it contributed to the output.
/// </summary>
public readonly struct InterpolationAdjoint<TElement, TStorage, TAccumulator, TSampling>
    : IMapProgram<InterpolationParameters<TStorage>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
    where TSampling : struct, ISampling
{
    /// <inheritdoc/>
    public static MapExtent Extent(in InterpolationParameters<TStorage> parameters) => MapExtent.Of(
        in parameters.Result, parameters.Batch, parameters.Channels, parameters.Rows.Input, parameters.Columns.Input);

    /// <inheritdoc/>
    public static double OperationsPerValue(in InterpolationParameters<TStorage> parameters) =>
        16.0 + 32.0 * parameters.Rows.Output / parameters.Rows.Input * parameters.Columns.Output / parameters.Columns.Input;

    /// <inheritdoc/>
    public static void Apply(in InterpolationParameters<TStorage> parameters, in MapPosition at)
    {
        int firstColumn = TSampling.First(in parameters.Columns, at.Column);
        int endColumn = TSampling.End(in parameters.Columns, at.Column);
        int endRow = TSampling.End(in parameters.Rows, at.Row);
        var sum = TAccumulator.Zero;
        for (int row = TSampling.First(in parameters.Rows, at.Row); row < endRow; row++)
        {
            var down = Share(in parameters.Rows, at.Row, row);
            long offset = parameters.Source.Offset(at.Image, at.Channel, row, firstColumn);
            for (int column = firstColumn; column < endColumn; column++)
            {
                sum += down * Share(in parameters.Columns, at.Column, column)
                    * TElement.Load(parameters.Source.Data[offset]);
                offset += parameters.Source.ColumnStride;
            }
        }
        parameters.Result.Data[at.In(in parameters.Result)] = TElement.Store(sum);
    }

    private static TAccumulator Share(in SampleAxis axis, int input, int output)
    {
        var place = TSampling.Locate(in axis, output);
        var way = Interpolation<TElement, TStorage, TAccumulator, TSampling>.Fraction(in place);
        var share = place.Low == input ? TAccumulator.One - way : TAccumulator.Zero;
        return place.High == input ? share + way : share;
    }
}
