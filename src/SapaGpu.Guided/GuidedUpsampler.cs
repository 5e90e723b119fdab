using System.Numerics;

namespace SapaGpu.Guided;

/// <summary>
/// Brings a small map to the size of a photo, guided by the photo: every pixel takes a mean of the cells around its own, weighted
/// by similarity of colour and by distance (Kopf et al., <i>Joint Bilateral Upsampling</i>, SIGGRAPH 2007), which is window
/// attention without trained weights.
/// </summary>
/// <remarks>
/// A map may have any size up to that of the photo; from a ratio of 16 on it takes several steps. The result is computed
/// rectangle by rectangle: beside the operands and the result a call takes less than 200 MB. Sizes need not divide each other: pixel
/// i belongs to cell ⌊i·cells/pixels⌋. Calls may be made from several threads.
/// </remarks>
public static class GuidedUpsampler
{
    /// <summary>Upsamples a map.</summary>
    /// <typeparam name="T">The type of the map. Quantities are computed in single precision, labels and nearest neighbours are exact.</typeparam>
    /// <typeparam name="TResult">The type of the result. Whole numbers are rounded; what is beyond the range is its end.</typeparam>
    /// <param name="guide">The photo.</param>
    /// <param name="map">The map; of kind <see cref="MapKind.Logits"/> a channel for every class.</param>
    /// <param name="result">The result, [height, width, channels] of the photo's size; of logits the probabilities.</param>
    /// <param name="options">Options; null for those of an image.</param>
    /// <param name="progress">Receives the completed fraction, from 0 to 1.</param>
    /// <param name="cancellation">Stops the computation; what is written by then is no result.</param>
    /// <exception cref="ArgumentException">
    /// The map is larger than the photo, the result has another length, an option is out of its range, a map of labels has several
    /// channels, or the type of the result does not hold one of its labels.
    /// </exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    /// <exception cref="InsufficientMemoryException">The photo or the map is larger than an array can be.</exception>
    public static void Upsample<T, TResult>(
        PhotoSpan guide,
        MapSpan<T> map,
        Span<TResult> result,
        GuidedOptions? options = null,
        IProgress<double>? progress = null,
        CancellationToken cancellation = default)
        where T : unmanaged, INumber<T>
        where TResult : unmanaged, INumber<TResult>
    {
        options ??= new GuidedOptions();
        var settings = options.Settings;
        CheckSizes(guide, map, result.Length, map.Channels);
        if (options.Kind == MapKind.Labels)
        {
            var classes = new ClassNumbers<T>(map);
            var labels = classes.As<TResult>();
            var codec = MapCodecs.Of(MapKind.Labels, hasOpacity: false, classes.Find(options.Unknown), Refines(options));
            Run(
                guide, classes.Numbers, result, number => labels[(int)number], options, settings, codec, progress, cancellation);
        }
        else if (options.Method == UpsampleMethod.Nearest && options.Kind != MapKind.Logits)
        {
            CopyNearest(guide, map, result, cancellation);
            progress?.Report(1);
        }
        else
        {
            var codec = options.Kind == MapKind.Logits
                ? MapCodecs.OfClasses(options.AreProbabilities, UnknownClass(options, map.Channels), decides: false)
                : MapCodecs.Of(options.Kind, options.HasOpacity, Marks(options), Refines(options));
            Run(
                guide,
                map.ToRaster(),
                result,
                SampleConversion<TResult>.FromSingle,
                options,
                settings,
                codec,
                progress,
                cancellation);
        }
    }

    /// <summary>Upsamples scores or probabilities of classes to the number of the likeliest class of every pixel.</summary>
    /// <typeparam name="T">The type of the scores.</typeparam>
    /// <typeparam name="TClass">The type of the numbers, which must hold the number of the last class.</typeparam>
    /// <param name="guide">The photo.</param>
    /// <param name="scores">The scores, or the probabilities with <see cref="GuidedOptions.AreProbabilities"/>, a channel for every class.</param>
    /// <param name="classes">The channel with the largest probability, [height, width] of the photo's size.</param>
    /// <param name="options">Options; null for those of logits, which is the only kind that there is.</param>
    /// <param name="progress">Receives the completed fraction, from 0 to 1.</param>
    /// <param name="cancellation">Stops the computation; what is written by then is no result.</param>
    /// <exception cref="ArgumentException">As those of <see cref="Upsample{T, TResult}"/>, or another kind than logits.</exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static void UpsampleToClasses<T, TClass>(
        PhotoSpan guide,
        MapSpan<T> scores,
        Span<TClass> classes,
        GuidedOptions? options = null,
        IProgress<double>? progress = null,
        CancellationToken cancellation = default)
        where T : unmanaged, INumber<T>
        where TClass : unmanaged, INumber<TClass>
    {
        options ??= new GuidedOptions { Kind = MapKind.Logits };
        if (options.Kind != MapKind.Logits)
            throw new ArgumentException($"Classes are found in a map of kind Logits; got {options.Kind}.", nameof(options));
        var settings = options.Settings;
        CheckSizes(guide, scores, classes.Length, 1);
        if (int.CreateSaturating(TClass.CreateSaturating(scores.Channels - 1)) != scores.Channels - 1)
        {
            throw new ArgumentException(
                $"{typeof(TClass).Name} does not count {scores.Channels} classes; take another type for the result.", nameof(classes));
        }
        Run(
            guide,
            scores.ToRaster(),
            classes,
            SampleConversion<TClass>.FromSingle,
            options,
            settings,
            MapCodecs.OfClasses(options.AreProbabilities, UnknownClass(options, scores.Channels), decides: true),
            progress,
            cancellation);
    }

    /// <summary>Upsamples maps of features.</summary>
    /// <param name="guide">The photos, [B, 3, H, W] or [B, 1, H, W], from 0 to 1; they are rounded to 8 bits.</param>
    /// <param name="map">The maps, [B, C, h, w], of kind <see cref="MapKind.Logits"/> with a channel for every class.</param>
    /// <param name="options">
    /// Options; null for those of features. Without <see cref="GuidedOptions.Device"/> the device of the map computes.
    /// </param>
    /// <param name="progress">Receives the completed fraction, from 0 to 1.</param>
    /// <param name="cancellation">Stops the computation.</param>
    /// <returns>The result, [B, C, H, W], on the device and in the format of the map.</returns>
    /// <exception cref="ArgumentException">As those of <see cref="Upsample{T, TResult}"/>, or batches of different sizes.</exception>
    /// <exception cref="OperationCanceledException">The computation was cancelled.</exception>
    public static FeatureMap<float> Upsample(
        FeatureMap<float> guide,
        FeatureMap<float> map,
        GuidedOptions? options = null,
        IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(guide);
        ArgumentNullException.ThrowIfNull(map);
        var photo = guide.Shape;
        var small = map.Shape;
        if (photo.Channels is not (1 or Photo.Channels) || photo.Batch != small.Batch)
        {
            throw new ArgumentException(
                $"The guide must be [{small.Batch}, 3, H, W] or [{small.Batch}, 1, H, W] for a map of {small}; got {photo}.",
                nameof(guide));
        }
        options ??= new GuidedOptions { Kind = MapKind.Features };
        options = options with { Device = options.Device ?? map.Device };
        byte[] samples = Array.ConvertAll(
            guide.ToArray(MemoryFormat.ChannelsLast), value => (byte)MathF.Round(255 * Math.Clamp(value, 0, 1)));
        float[] values = map.ToArray(MemoryFormat.ChannelsLast);
        var shape = new MapShape(small.Batch, small.Channels, photo.Height, photo.Width);
        float[] results = new float[shape.ElementCount];
        int ofPhoto = samples.Length / small.Batch;
        int ofMap = values.Length / small.Batch;
        int ofResult = results.Length / small.Batch;
        for (int image = 0; image < small.Batch; image++)
        {
            double done = image;
            Upsample(
                new PhotoSpan(samples.AsSpan(image * ofPhoto, ofPhoto), photo.Height, photo.Width),
                new MapSpan<float>(values.AsSpan(image * ofMap, ofMap), small.Height, small.Width, small.Channels),
                results.AsSpan(image * ofResult, ofResult),
                options,
                progress is null ? null : new Share(progress, done / small.Batch, 1.0 / small.Batch),
                cancellation);
        }
        var result = FeatureMap<float>.From(map.Device, shape, results, MemoryFormat.ChannelsLast);
        if (map.Format == MemoryFormat.ChannelsLast)
            return result;
        using (result)
            return result.To(map.Format);
    }

    private static void CheckSizes<T>(PhotoSpan guide, MapSpan<T> map, int resultLength, int channels)
        where T : unmanaged, INumber<T>
    {
        if (guide.Height == 0 || map.Height == 0)
            throw new ArgumentException("The guide and the map must not be empty: make them with their sizes.");
        if (map.Height > guide.Height || map.Width > guide.Width)
        {
            throw new ArgumentException(
                $"The map of {map.Width}x{map.Height} is larger than the guide of {guide.Width}x{guide.Height}; take a larger guide.",
                nameof(map));
        }
        long length = (long)guide.Height * guide.Width * channels;
        if (resultLength != length)
        {
            throw new ArgumentException(
                $"The result of {guide.Width}x{guide.Height} with {channels} channels has {length:N0} values; got {resultLength:N0}.");
        }
    }

    private static bool Refines(GuidedOptions options) => options.Refine && options.Method == UpsampleMethod.Sapa;

    private static float[] Marks(GuidedOptions options) => [.. options.Unknown.Select(value => (float)value)];

    private static int UnknownClass(GuidedOptions options, int classes)
    {
        if (options.Unknown.Count == 0)
            return -1;
        double number = options.Unknown[0];
        return number >= 0 && number < classes && number == Math.Floor(number)
            ? (int)number
            : throw new ArgumentException($"Unknown {number} is the number of none of the {classes} classes.");
    }

    private static unsafe void Run<TResult>(
        PhotoSpan guide,
        Raster map,
        Span<TResult> result,
        Func<float, TResult> convert,
        GuidedOptions options,
        KernelSettings settings,
        CodecOfStep codecOf,
        IProgress<double>? progress,
        CancellationToken cancellation)
        where TResult : unmanaged, INumber<TResult>
    {
        bool isGuided = options.Method == UpsampleMethod.Sapa;
        using var own = isGuided && options.Device is null ? ComputeDevice.Open(DeviceKind.Cpu) : null;
        var run = new GuidedRun(guide.ToPhoto(), options.Method, settings, options.Device ?? own, codecOf);
        fixed (TResult* target = result)
        {
            int channels = result.Length / (guide.Height * guide.Width);
            run.Run(
                map,
                new PinnedSink<TResult>(target, guide.Width, channels, convert),
                progress is null ? null : progress.Report,
                cancellation);
        }
    }

    private static void CopyNearest<T, TResult>(
        PhotoSpan guide, MapSpan<T> map, Span<TResult> result, CancellationToken cancellation)
        where T : unmanaged, INumber<T>
        where TResult : unmanaged, INumber<TResult>
    {
        var rows = new CellAxis(map.Height, guide.Height);
        var columns = new CellAxis(map.Width, guide.Width);
        int next = 0;
        for (int y = 0; y < guide.Height; y++)
        {
            cancellation.ThrowIfCancellationRequested();
            int row = rows.CellOf(y) * map.Width;
            for (int x = 0; x < guide.Width; x++)
            {
                var cell = map.Values.Slice((row + columns.CellOf(x)) * map.Channels, map.Channels);
                foreach (var value in cell)
                    result[next++] = SampleConversion<TResult>.From(value);
            }
        }
    }

    /// <summary>The progress of one image of several.</summary>
    private sealed class Share(IProgress<double> whole, double first, double part) : IProgress<double>
    {
        public void Report(double value) => whole.Report(first + value * part);
    }
}
