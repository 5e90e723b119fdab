using System.Diagnostics;
using System.Globalization;
using SapaGpu.Cli.Guided.Figures;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>
/// Upsamples the features of a request with a model. All inputs are checked when the job is created; output files appear only when
/// they are complete.
/// </summary>
internal sealed class ModelJob : IDisposable
{
    private readonly UpsampleRequest request;
    private readonly SharedModel shared;
    private readonly LoadedModel model;
    private readonly List<string> warnings = [];
    private readonly FeatureArray features;
    private readonly Photo photo;
    private readonly Region cells;
    private readonly ImageSize computed;
    private readonly Region part;
    private readonly OutputFile output;
    private readonly OutputFile? figure;

    /// <summary>Reads and checks all inputs.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="shared">The model, which stays loaded.</param>
    /// <exception cref="ArgumentException">Options do not suit the inputs.</exception>
    /// <exception cref="InvalidDataException">A file cannot be used.</exception>
    /// <exception cref="IOException">A result cannot be written.</exception>
    /// <exception cref="InsufficientMemoryException">The device cannot hold the result.</exception>
    /// <exception cref="DeviceUnavailableException">The device is not available.</exception>
    public ModelJob(UpsampleRequest request, SharedModel shared)
    {
        var watch = Stopwatch.StartNew();
        this.request = request;
        this.shared = shared;
        InputChecks.CheckNames(request);
        CheckResults();
        var guide = InputFile.Open(request.Guide);
        var covered = Crop.SizeOf(request.Guide, ImageSource.ReadSize(guide), request.Crop);
        var used = GuideSize(covered);
        double proportion = request.Letterbox is null ? (double)used.Height / used.Width : 1;
        features = new MapReader(labels: false, new RequestedMarks([]), proportion, request.Layout)
            .ReadFeatures(InputFile.Open(request.Input));
        var placement = request.Letterbox is { } letterbox
            ? Placement.Of(new ImageSize(features.Height, features.Width), used, letterbox)
            : new Placement(features.All, 0, 0, 0, 0);
        cells = placement.Cells;
        var grown = new ImageSize(
            placement.Top + used.Height + placement.Bottom, placement.Left + used.Width + placement.Right);
        computed = Request.Size ?? grown;
        part = Request.Size is { } size
            ? new Region(0, 0, size.Height, size.Width)
            : new Region(placement.Top, placement.Left, used.Height, used.Width);
        model = shared.Load();
        CheckChannels();
        ModelMemory.Check(model, grown, computed, features.Channels);
        var whole = PhotoReader.Read(guide, warnings.Add);
        var cut = Crop.Cut(whole, request.Crop);
        photo = placement.Grow(used == covered ? cut : cut.Resize(used.Height, used.Width));
        Warn(covered);
        output = new OutputFile(request.Output, ".npy");
        try
        {
            figure = request.Figure is null ? null : new OutputFile(request.Figure, Path.GetExtension(request.Figure));
        }
        catch
        {
            Dispose();
            throw;
        }
        Times = new JobTimes(watch.Elapsed.TotalSeconds, 0, 0);
    }

    /// <summary>What the user should know about the inputs, a line each.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>The model.</summary>
    public LoadedModel Model => model;

    /// <summary>The size of the features in their file, width first.</summary>
    public string InputSize => features.SizeText;

    /// <summary>The size of the result, width first.</summary>
    public string OutputSize => $"{part.Width}x{part.Height}";

    /// <summary>The channels of the features.</summary>
    public int Channels => features.Channels;

    /// <summary>How long the parts of the job took.</summary>
    public JobTimes Times { get; private set; }

    /// <summary>A summary of the job in one line.</summary>
    public string Summary
    {
        get
        {
            var settings = model.Settings;
            string sees = settings.Window is { } window ? $"window {window}"
                : settings.WindowRatio is > 0 and var ratio ? string.Create(CultureInfo.InvariantCulture, $"window ratio {ratio}")
                : "the whole map";
            string covered = cells == features.All ? string.Empty : $", of which {cells.Width}x{cells.Height},";
            return $"{request.Output}: {Channels} channels, {InputSize}{covered} to {OutputSize}, {model.Kind.Name()} on " +
                $"{model.Device.Id}, {settings.Dtype}, {settings.Heads} heads, {sees}";
        }
    }

    private ModelRequest Request => shared.Request;

    /// <summary>Computes and writes the result.</summary>
    /// <param name="progress">Receives the completed fraction, from 0 to 1; NaN while it is not known.</param>
    /// <param name="cancellation">Stops the job; nothing is written then.</param>
    public void Run(Action<double> progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        progress(double.NaN);
        using var upsampled = Upsample(cancellation);
        Times = Times with { Compute = watch.Elapsed.TotalSeconds };
        using (var writer = new FeatureWriter(output.TemporaryPath, features.Storage, part.Height, part.Width, Channels))
            upsampled.Read(part, writer, progress, cancellation);
        if (figure is not null)
            ImageFile.Write(figure.TemporaryPath, DrawFigure(upsampled, cancellation));
        output.Commit();
        figure?.Commit();
        Times = Times with { Write = watch.Elapsed.TotalSeconds - Times.Compute };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        output.Dispose();
        figure?.Dispose();
    }

    /// <summary>Runs the model, which cannot be stopped: who cancels no longer waits for it.</summary>
    private UpsampledFeatures Upsample(CancellationToken cancellation)
    {
        var call = Task.Factory.StartNew(
            () => model.Upsample(photo, features, cells, request.Input, computed.Height, computed.Width),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            return call.WaitAsync(cancellation).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            shared.Abandon();
            throw;
        }
        catch (InsufficientMemoryException e)
        {
            throw new InsufficientMemoryException($"{request.Input}: {e.Message.TrimEnd('.')}; give {ModelMemory.Remedy}.", e);
        }
    }

    private Photo DrawFigure(UpsampledFeatures upsampled, CancellationToken cancellation) =>
        FeatureFigure.Draw(
            new FeatureFigureSource(photo, features, cells, upsampled, computed, part, model.Device, model.Kind.Title()),
            cancellation);

    private void CheckResults()
    {
        if (!OutputFile.IsStream(request.Output) && !MapReader.IsArray(request.Output))
            throw new InvalidDataException($"{request.Output}: upsampled features are written as .npy; change the extension.");
        if (request.Figure is not null)
            ImageFormat.Of(request.Figure);
    }

    private ImageSize GuideSize(ImageSize covered)
    {
        if (Request.GuideSize is not { } wanted)
            return covered;
        return wanted.Height <= covered.Height && wanted.Width <= covered.Width
            ? wanted
            : throw new ArgumentException(
                $"--guide-size {wanted.Text}: the photo {request.Guide} is {covered.Text}; it is only made smaller.");
    }

    private void CheckChannels()
    {
        if (model.Kind == UpsamplingModel.Naf && Channels % model.Settings.Heads != 0)
        {
            throw new ArgumentException(
                $"{request.Input}: the features have {Channels} channels, no multiple of the {model.Settings.Heads} heads, each of " +
                "which weighs its own; give the --heads that the model was trained with, or add channels of zeros.");
        }
    }

    // With sizes of the caller's own, the proportions are the caller's, too.
    private void Warn(ImageSize covered)
    {
        if (Request.Size is not null || Request.GuideSize is not null)
            return;
        string? proportions = request.Letterbox is null
            ? Proportions.Describe(features.Height, features.Width, covered.Height, covered.Width)
            : Proportions.DescribePadding(features.Height, features.Width, covered.Height, covered.Width);
        if (proportions is not null)
            warnings.Add($"{request.Input}: {proportions}");
    }
}
