using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>What is summed over the rows of features.</summary>
internal interface IRowTerms
{
    /// <summary>Gets whether the sum is that of the squares of what is left when the mean is subtracted.</summary>
    static abstract bool Squares { get; }

    /// <summary>
    /// Gets whether the sums are those of the gradient and of its product with the normalised features.
    /// </summary>
    static abstract bool Gradients { get; }
}

/// <summary>Σ x.</summary>
internal readonly struct PlainRowTerms : IRowTerms
{
    public static bool Squares => false;

    public static bool Gradients => false;
}

/// <summary>Σ (x − mean)².</summary>
internal readonly struct SquareRowTerms : IRowTerms
{
    public static bool Squares => true;

    public static bool Gradients => false;
}

/// <summary>Σ g and Σ g·x̂.</summary>
internal readonly struct GradientRowTerms : IRowTerms
{
    public static bool Squares => false;

    public static bool Gradients => true;
}

/// <summary>
/// Sums over every row of every channel on the CPU. A tile is some rows with all of their channels: in channels-last
/// maps the lanes are channels, in others columns.
/// </summary>
internal readonly unsafe struct FeatureRowSumsProgram<TSimd, TStorage, TReal, TVector, TTerms>
    : ITileProgram<FeatureNormParameters<TStorage, TReal>>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
    where TTerms : struct, IRowTerms
{
    private const int ValuesPerTile = 1 << 15;

    public static long TileCount(in FeatureNormParameters<TStorage, TReal> parameters) =>
        Tiling(in parameters).Count(parameters.Extent.Batch);

    public static double Operations(in FeatureNormParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Extent.Pixels * parameters.Extent.InputChannels;

    public static long ScratchBytes(in FeatureNormParameters<TStorage, TReal> parameters)
    {
        var scratch = new ScratchAllocator(null);
        _ = new Workspace(ref scratch, in parameters);
        return scratch.Used;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureNormParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        var allocator = new ScratchAllocator(scratch);
        var workspace = new Workspace(ref allocator, in parameters);
        var rows = Tiling(in parameters)[tile];
        var input = new MapPointer<TStorage>(in parameters.Input);
        var gradient = new MapPointer<TStorage>(in parameters.Gradient);
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        var sums = new MapPointer<TReal>(in parameters.RowSums);
        int channels = parameters.Extent.InputChannels;
        int columns = parameters.Extent.Width;
        bool ofPixels = TTerms.Gradients && IsOfPixels(in parameters);
        bool overChannels = input.IsChannelsLast && (!TTerms.Gradients || gradient.IsChannelsLast);
        if ((TTerms.Squares || TTerms.Gradients) && !ofPixels)
            workspace.Groups.Fill(in parameters, rows.Image);
        for (int row = rows.First; row < rows.End; row++)
        {
            if (ofPixels)
            {
                TReal* saved = statistics.At(rows.Image, 0, row, 0);
                StridedCopy.Gather(saved, statistics.ColumnStride, workspace.PixelMeans, columns);
                StridedCopy.Gather(
                    saved + statistics.ChannelStride, statistics.ColumnStride, workspace.PixelReciprocals, columns);
            }
            if (overChannels)
                Pixels(in input, in gradient, in workspace, rows.Image, row, channels, columns, ofPixels);
            else
                Planes(in input, in gradient, in workspace, rows.Image, row, channels, columns, ofPixels);
            int parts = TTerms.Gradients ? 2 : 1;
            TReal* to = sums.At(rows.Image, 0, row, 0);
            StridedCopy.Scatter(workspace.Sums, to, parts * sums.ChannelStride, channels);
            if (TTerms.Gradients)
                StridedCopy.Scatter(workspace.Products, to + sums.ChannelStride, parts * sums.ChannelStride, channels);
        }
    }

    private static RowTiling Tiling(in FeatureNormParameters<TStorage, TReal> parameters) => new(
        parameters.Extent.Height, (long)parameters.Extent.Width * parameters.Extent.InputChannels, ValuesPerTile);

    private static bool IsOfPixels(in FeatureNormParameters<TStorage, TReal> parameters) =>
        parameters.Statistics.ColumnStride != 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pixels(
        in MapPointer<TStorage> input,
        in MapPointer<TStorage> gradient,
        in Workspace workspace,
        int image,
        int row,
        int channels,
        int columns,
        bool ofPixels)
    {
        int lanes = TSimd.Lanes;
        int whole = channels / lanes * lanes;
        TReal* sums = workspace.Sums;
        TReal* products = workspace.Products;
        TReal* means = workspace.Groups.Means;
        TReal* reciprocals = workspace.Groups.Reciprocals;
        TStorage* own = input.At(image, 0, row, 0);
        TStorage* slope = gradient.At(image, 0, row, 0);
        new Span<TReal>(sums, channels).Clear();
        new Span<TReal>(products, channels).Clear();
        for (int column = 0; column < columns; column++)
        {
            TReal mean = ofPixels ? workspace.PixelMeans[column] : TReal.Zero;
            TReal reciprocal = ofPixels ? workspace.PixelReciprocals[column] : TReal.One;
            var centre = TSimd.Broadcast(mean);
            var factor = TSimd.Broadcast(reciprocal);
            for (int channel = 0; channel < whole; channel += lanes)
            {
                var value = TSimd.LoadStorage(own + channel);
                var sum = TSimd.Load(sums + channel);
                if ((TTerms.Squares || TTerms.Gradients) && !ofPixels)
                {
                    centre = TSimd.Load(means + channel);
                    factor = TSimd.Load(reciprocals + channel);
                }
                if (TTerms.Gradients)
                {
                    var arriving = TSimd.LoadStorage(slope + channel);
                    var normalised = TSimd.Multiply(TSimd.Subtract(value, centre), factor);
                    TSimd.Store(sums + channel, TSimd.Add(sum, arriving));
                    TSimd.Store(
                        products + channel, TSimd.MultiplyAdd(arriving, normalised, TSimd.Load(products + channel)));
                }
                else if (TTerms.Squares)
                {
                    var centred = TSimd.Subtract(value, centre);
                    TSimd.Store(sums + channel, TSimd.MultiplyAdd(centred, centred, sum));
                }
                else
                {
                    TSimd.Store(sums + channel, TSimd.Add(sum, value));
                }
            }
            for (int channel = whole; channel < channels; channel++)
            {
                if ((TTerms.Squares || TTerms.Gradients) && !ofPixels)
                {
                    mean = means[channel];
                    reciprocal = reciprocals[channel];
                }
                Add(own + channel, slope + channel, mean, reciprocal, ref sums[channel], ref products[channel]);
            }
            own += input.ColumnStride;
            slope += gradient.ColumnStride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Planes(
        in MapPointer<TStorage> input,
        in MapPointer<TStorage> gradient,
        in Workspace workspace,
        int image,
        int row,
        int channels,
        int columns,
        bool ofPixels)
    {
        int lanes = TSimd.Lanes;
        TReal* pixelMeans = workspace.PixelMeans;
        TReal* pixelReciprocals = workspace.PixelReciprocals;
        nint ownStep = input.ColumnStride;
        nint slopeStep = gradient.ColumnStride;
        bool adjacent = ownStep == 1 && (!TTerms.Gradients || slopeStep == 1);
        int whole = adjacent ? columns / lanes * lanes : 0;
        bool ofGroups = (TTerms.Squares || TTerms.Gradients) && !ofPixels;
        for (int channel = 0; channel < channels; channel++)
        {
            TStorage* own = input.At(image, channel, row, 0);
            TStorage* slope = gradient.At(image, channel, row, 0);
            TReal mean = ofGroups ? workspace.Groups.Means[channel] : TReal.Zero;
            TReal reciprocal = ofGroups ? workspace.Groups.Reciprocals[channel] : TReal.One;
            var centre = TSimd.Broadcast(mean);
            var factor = TSimd.Broadcast(reciprocal);
            var sums = TSimd.Constant(0.0);
            var products = TSimd.Constant(0.0);
            for (int column = 0; column < whole; column += lanes)
            {
                var value = TSimd.LoadStorage(own + column);
                if (TTerms.Gradients)
                {
                    if (ofPixels)
                    {
                        centre = TSimd.Load(pixelMeans + column);
                        factor = TSimd.Load(pixelReciprocals + column);
                    }
                    var arriving = TSimd.LoadStorage(slope + column);
                    var normalised = TSimd.Multiply(TSimd.Subtract(value, centre), factor);
                    sums = TSimd.Add(sums, arriving);
                    products = TSimd.MultiplyAdd(arriving, normalised, products);
                }
                else if (TTerms.Squares)
                {
                    var centred = TSimd.Subtract(value, centre);
                    sums = TSimd.MultiplyAdd(centred, centred, sums);
                }
                else
                {
                    sums = TSimd.Add(sums, value);
                }
            }
            TReal sum = TSimd.Sum(sums);
            TReal product = TSimd.Sum(products);
            for (int column = whole; column < columns; column++)
            {
                if (ofPixels)
                {
                    mean = pixelMeans[column];
                    reciprocal = pixelReciprocals[column];
                }
                Add(own + column * ownStep, slope + column * slopeStep, mean, reciprocal, ref sum, ref product);
            }
            workspace.Sums[channel] = sum;
            workspace.Products[channel] = product;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        TStorage* own, TStorage* slope, TReal mean, TReal reciprocal, ref TReal sum, ref TReal product)
    {
        TReal value = TSimd.Widen(*own);
        if (TTerms.Gradients)
        {
            TReal arriving = TSimd.Widen(*slope);
            sum += arriving;
            product += arriving * ((value - mean) * reciprocal);
        }
        else
        {
            sum += TTerms.Squares ? (value - mean) * (value - mean) : value;
        }
    }

    private readonly ref struct Workspace
    {
        public readonly GroupMoments<TStorage, TReal> Groups;
        public readonly TReal* PixelMeans;
        public readonly TReal* PixelReciprocals;
        public readonly TReal* Sums;
        public readonly TReal* Products;

        public Workspace(ref ScratchAllocator scratch, in FeatureNormParameters<TStorage, TReal> parameters)
        {
            Groups = new(ref scratch, parameters.Extent.InputChannels);
            PixelMeans = scratch.Take<TReal>(parameters.Extent.Width);
            PixelReciprocals = scratch.Take<TReal>(parameters.Extent.Width);
            Sums = scratch.Take<TReal>(parameters.Extent.InputChannels);
            Products = scratch.Take<TReal>(parameters.Extent.InputChannels);
        }
    }
}
