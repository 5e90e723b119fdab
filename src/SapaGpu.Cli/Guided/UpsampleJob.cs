using System.Diagnostics;
using SapaGpu.Cli.Guided.Figures;
using SapaGpu.Cli.Guided.Quality;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>
/// Upsamples the map of a request. All inputs are checked when the job is created, before the long computation; output
/// files appear only when they are complete.
/// </summary>
internal sealed class UpsampleJob : IDisposable
{
    private static readonly UpsampleMethod[] AllMethods = Enum.GetValues<UpsampleMethod>();

    private readonly UpsampleRequest request;
    private readonly RequestedMarks marks;
    private readonly List<string> warnings = [];
    private readonly Photo photo;
    private readonly Photo guide;
    private readonly Region window;
    private readonly StoredMap input;
    private readonly MapPlan plan;
    private readonly Raster? truth;
    private readonly CellGrid grid;
    private readonly OutputFile output;
    private readonly OutputFile? figure;
    private readonly ComputeDevice? device;

    /// <summary>Reads and checks all inputs.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="shared">The device, which stays open.</param>
    /// <exception cref="ArgumentException">Options contradict each other or do not suit the inputs.</exception>
    /// <exception cref="InvalidDataException">A file cannot be used, or the files do not match.</exception>
    /// <exception cref="IOException">A result cannot be written.</exception>
    /// <exception cref="DeviceUnavailableException">The device is not available.</exception>
    public UpsampleJob(UpsampleRequest request, SharedDevice shared)
    {
        var watch = Stopwatch.StartNew();
        this.request = request;
        marks = new RequestedMarks(request.Unknown);
        OptionChecks.Check(request);
        InputChecks.CheckNames(request);
        var files = CheckedInputs.Open(request, marks);
        var whole = PhotoReader.Read(files.Guide, warnings.Add);
        photo = Crop.Cut(whole, request.Crop);
        var read = files.MapReader.Read(files.Input);
        InputSize = read.Raster.SizeText;
        (guide, window, input) = Place(read);
        string extension = ResultExtension();
        Warn(whole: read.Raster);
        marks.Unify(input.Raster);
        plan = new MapPlanner(request, marks, warnings.Add).Plan(input, extension, guide);
        MapWriter.Check(request.Output, extension, plan.Storage, plan.Channels, plan.MustBeExact);
        grid = new CellGrid(
            new CellAxis(input.Raster.Height, guide.Height), new CellAxis(input.Raster.Width, guide.Width));
        truth = files.Truth is { } file ? ReadTruth(files.TruthReader.Read(file), file.Name, whole) : null;
        Settings = KernelDefaults.Of(Kind, request.Refine, request.Window, request.ColourSigma, request.SpaceSigma);
        bool comparesAll = truth is not null || request.Figure is not null;
        Methods = comparesAll ? AllMethods : [request.Method];
        CheckFigure();
        device = Methods.Contains(UpsampleMethod.Sapa) ? shared.Open() : null;
        output = new OutputFile(request.Output, extension);
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

    /// <summary>The kind of map.</summary>
    public MapKind Kind => plan.Kind;

    /// <summary>The kernel of the guided method.</summary>
    public KernelSettings Settings { get; }

    /// <summary>The methods that will be run, the requested one among them.</summary>
    public IReadOnlyList<UpsampleMethod> Methods { get; }

    /// <summary>The figures of quality; empty without a truth.</summary>
    public IReadOnlyList<QualityFigure> Figures { get; private set; } = [];

    /// <summary>What the user should know about the inputs, a line each.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    /// <summary>The device of the guided method; null where it does not run.</summary>
    public string? Device => device?.Id;

    /// <summary>The size of the map in its file, width first.</summary>
    public string InputSize { get; }

    /// <summary>The size of the result, width first.</summary>
    public string OutputSize => photo.SizeText;

    /// <summary>The samples of a pixel of the result.</summary>
    public int Channels => plan.Channels;

    /// <summary>How long the parts of the job took.</summary>
    public JobTimes Times { get; private set; }

    /// <summary>Whether the result goes to standard output.</summary>
    public bool WritesToStandardOutput => OutputFile.IsStandardOutput(request.Output);

    /// <summary>A summary of the job in one line.</summary>
    public string Summary
    {
        get
        {
            string how = request.Method == UpsampleMethod.Sapa
                ? $"sapa on {device!.Id}, window {Settings.Window}, sigma-color {Settings.ColourSigma}, " +
                  $"sigma-space {Settings.SpaceSigma}"
                : request.Method.ToString().ToLowerInvariant();
            string kind = plan.AreProbabilities ? "probabilities of classes" : Kind.ToString().ToLowerInvariant();
            string part = InputSize == input.Raster.SizeText ? string.Empty : $", of which {input.Raster.SizeText},";
            return $"{request.Output}: {kind}, {InputSize}{part} to {photo.SizeText}, {how}";
        }
    }

    /// <summary>Computes and writes the result.</summary>
    /// <param name="progress">Receives the completed fraction of a method, from 0 to 1.</param>
    /// <param name="cancellation">Stops the computation; nothing is written then.</param>
    /// <returns>The results of the methods; empty if there was nothing to compare.</returns>
    public IReadOnlyList<MethodResult> Run(Action<UpsampleMethod, double> progress, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        bool copiesBytes = request.Method == UpsampleMethod.Nearest && plan.Exact is not null;
        if (Methods.Count == 1 && copiesBytes)
        {
            WriteExactly();
            output.Commit();
            Times = Times with { Compute = watch.Elapsed.TotalSeconds };
            return [];
        }
        if (Methods.Count == 1 && plan.Storage is ArrayStorage array)
        {
            using (var sink = new ArraySink(
                output.TemporaryPath, array, photo.Height, photo.Width, plan.Channels, marks.FirstAsGiven))
            {
                Run(request.Method, sink, progress, cancellation);
            }
            output.Commit();
            Times = Times with { Compute = watch.Elapsed.TotalSeconds };
            return [];
        }

        var maps = Methods.ToDictionary(method => method, method =>
        {
            var map = new Raster(photo.Height, photo.Width, plan.Channels);
            Run(method, map, progress, cancellation);
            return map;
        });
        double computed = watch.Elapsed.TotalSeconds;
        if (copiesBytes)
            WriteExactly();
        else
            MapWriter.Write(output.TemporaryPath, maps[request.Method], plan.Storage, marks.FirstAsGiven);
        output.Commit();
        var results = Compare(maps);
        if (figure is not null)
        {
            ImageFile.Write(figure.TemporaryPath, DrawFigure(results));
            figure.Commit();
        }
        Times = Times with { Compute = computed, Write = watch.Elapsed.TotalSeconds - computed };
        return results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        output.Dispose();
        figure?.Dispose();
    }

    private void WriteExactly() =>
        MapWriter.Write(output.TemporaryPath, plan.Exact!, grid, window, input.Raster.Channels, plan.Storage);

    private void Run(
        UpsampleMethod method,
        IMapSink sink,
        Action<UpsampleMethod, double> progress,
        CancellationToken cancellation)
    {
        if (plan.Range is { } range)
            sink = new ThresholdSink(sink, range, request.Threshold!.Value, marks, plan.Channels, MaskRange.HasOpacity(input));
        if (window != new Region(0, 0, guide.Height, guide.Width))
            sink = new WindowSink(sink, window, plan.Channels);
        new GuidedRun(guide, method, Settings, device, plan.CodecOf(Settings.Refines && method == UpsampleMethod.Sapa))
            .Run(plan.Map, sink, share => progress(method, share), cancellation);
    }

    private List<MethodResult> Compare(Dictionary<UpsampleMethod, Raster> maps)
    {
        if (truth is null)
            return [.. maps.Select(pair => new MethodResult(pair.Key, pair.Value, []))];
        var measure = QualityMeasure.For(
            Kind == MapKind.Logits ? MapKind.Labels : Kind, input.Raster, truth, marks.First);
        Figures = measure.Figures;
        var figures = measure.Measure([.. maps.Values]);
        return [.. maps.Zip(figures, (pair, quality) => new MethodResult(pair.Key, pair.Value, quality))];
    }

    private Photo DrawFigure(IReadOnlyList<MethodResult> results)
    {
        bool areClasses = Kind is MapKind.Labels or MapKind.Logits;
        var panels = new FigurePanels(
            photo,
            [.. results.Select(Show)],
            MapPainter.For(input with { Raster = plan.Shown }, Kind, marks.First),
            new DifferencePainter(areClasses, marks.First));
        return ComparisonFigure.Draw(panels.Make(truth), panels.Height, panels.Width);
    }

    private ShownResult Show(MethodResult result)
    {
        string title = result.Method.Title();
        string heading = result.Method == UpsampleMethod.Nearest ? $"{title}: the input, {input.Raster.SizeText}" : title;
        return new ShownResult(title, AsShown(result.Map))
        {
            Caption = [heading, .. Figures.Zip(result.Quality, (figure, value) => figure.Describe(value))],
        };
    }

    /// <summary>A result in the units of figures: of probabilities the classes.</summary>
    private Raster AsShown(Raster result) =>
        Kind == MapKind.Logits && !request.Argmax ? ScoreMap.Argmax(result, level: 0.5f) : result;

    /// <summary>Cuts padding off the map, and lets the photo grow to the ends of the cells that are left.</summary>
    private (Photo Guide, Region Window, StoredMap Input) Place(StoredMap read)
    {
        if (request.Letterbox is not { } letterbox)
            return (photo, new Region(0, 0, photo.Height, photo.Width), read);
        var placement = Placement.Of(
            new ImageSize(read.Raster.Height, read.Raster.Width), new ImageSize(photo.Height, photo.Width), letterbox);
        return (
            placement.Grow(photo),
            new Region(placement.Top, placement.Left, photo.Height, photo.Width),
            read.Cut(placement.Cells));
    }

    private void CheckFigure()
    {
        if (request.Figure is null)
            return;
        ImageFormat.Of(request.Figure);
    }

    private void Warn(Raster whole)
    {
        var map = input.Raster;
        string? proportions = request.Letterbox is null
            ? Proportions.Describe(map.Height, map.Width, photo.Height, photo.Width)
            : Proportions.DescribePadding(whole.Height, whole.Width, photo.Height, photo.Width);
        if (proportions is not null)
            warnings.Add($"{request.Input}: {proportions}");
        if (request.Method != UpsampleMethod.Nearest && input.Precision?.DescribeLoss(request.Input) is { } loss)
            warnings.Add(loss);
    }

    /// <summary>The extension of the result; where its name has none, as that of a pipe, one for the map.</summary>
    private string ResultExtension()
    {
        string extension = Path.GetExtension(request.Output);
        return extension.Length > 0 || !OutputFile.IsStream(request.Output) ? extension
            : request.Argmax ? ".png"
            : input.Storage is ImageStorage image ? ImageFormat.ExtensionFor(image.Type) : ".npy";
    }

    private Raster ReadTruth(StoredMap stored, string path, Photo whole)
    {
        if (request.Crop is { } part && (stored.Raster.Height, stored.Raster.Width) == (whole.Height, whole.Width))
            stored = stored.Cut(part);
        var map = stored.Raster;
        if (map.Channels != plan.Channels)
        {
            string what = request.Argmax ? "classes have" : "the input has";
            throw new InvalidDataException(
                $"{path}: the truth has {map.Channels} channels, but {what} {plan.Channels}.");
        }
        if (!request.Argmax && !HaveSameUnits(stored.Storage, input.Storage))
        {
            throw new InvalidDataException(
                $"{path}: sample type or palette differ from those of {request.Input}; save both in the same way.");
        }
        marks.Unify(map);
        return map;
    }

    private static bool HaveSameUnits(MapStorage truth, MapStorage input) => (truth, input) switch
    {
        (ImageStorage { Palette: { } first }, ImageStorage { Palette: { } second }) => first.AgreesWith(second),
        (ImageStorage first, ImageStorage second) => first.Type == second.Type,
        (ArrayStorage, ArrayStorage) => true,
        _ => false,
    };
}
