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
    private readonly StoredMap input;
    private readonly Raster? truth;
    private readonly CellGrid grid;
    private readonly OutputFile output;
    private readonly OutputFile? figure;
    private readonly ComputeDevice? device;

    /// <summary>Reads and checks all inputs.</summary>
    /// <exception cref="InvalidDataException">A file cannot be used, or the files do not match.</exception>
    /// <exception cref="IOException">A result cannot be written.</exception>
    /// <exception cref="DeviceUnavailableException">The device is not available.</exception>
    public UpsampleJob(UpsampleRequest request)
    {
        this.request = request;
        marks = new RequestedMarks(request.Unknown);
        InputChecks.CheckNames(request);
        photo = PhotoReader.Read(InputFile.Open(request.Guide), warnings.Add);
        var reader = new MapReader(request.Labels, marks, photo, request.Layout);
        input = reader.Read(InputFile.Open(request.Input));
        string extension = ResultExtension();
        MapWriter.Check(request.Output, extension, input, exact: request.Labels || marks.First is not null);
        grid = MakeGrid();
        truth = request.Truth is null ? null : ReadTruth(reader, request.Truth);
        Warn();
        marks.Unify(input.Raster);
        Kind = request.Kind ?? KernelDefaults.KindOf(input.Raster, marks.First);
        var defaults = KernelDefaults.For(Kind);
        Settings = new KernelSettings(
            request.Window ?? defaults.Window,
            request.ColourSigma ?? defaults.ColourSigma,
            request.SpaceSigma ?? defaults.SpaceSigma);
        bool comparesAll = truth is not null || request.Figure is not null;
        Methods = comparesAll ? AllMethods : [request.Method];
        CheckFigure();
        device = Methods.Contains(UpsampleMethod.Sapa) ? CommonOptions.Open(request.Device) : null;
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
    }

    /// <summary>The kind of map.</summary>
    public MapKind Kind { get; }

    /// <summary>The kernel of the guided method.</summary>
    public KernelSettings Settings { get; }

    /// <summary>The methods that will be run, the requested one among them.</summary>
    public IReadOnlyList<UpsampleMethod> Methods { get; }

    /// <summary>The figures of quality; empty without a truth.</summary>
    public IReadOnlyList<QualityFigure> Figures { get; private set; } = [];

    /// <summary>What the user should know about the inputs, a line each.</summary>
    public IReadOnlyList<string> Warnings => warnings;

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
            string kind = Kind.ToString().ToLowerInvariant();
            return $"{request.Output}: {kind}, {input.Raster.SizeText} to {photo.SizeText}, {how}";
        }
    }

    /// <summary>Computes and writes the result.</summary>
    /// <param name="progress">Receives the completed fraction of a method, from 0 to 1.</param>
    /// <param name="cancellation">Stops the computation; nothing is written then.</param>
    /// <returns>The results of the methods; empty if there was nothing to compare.</returns>
    public IReadOnlyList<MethodResult> Run(Action<UpsampleMethod, double> progress, CancellationToken cancellation)
    {
        bool copiesBytes = request.Method == UpsampleMethod.Nearest && input.Exact is not null;
        if (Methods.Count == 1 && copiesBytes)
        {
            WriteExactly();
            output.Commit();
            return [];
        }
        if (Methods.Count == 1 && input.Storage is ArrayStorage array)
        {
            using (var sink = new ArraySink(
                output.TemporaryPath, array, photo.Height, photo.Width, input.Raster.Channels, marks.FirstAsGiven))
            {
                Run(request.Method, sink, progress, cancellation);
            }
            output.Commit();
            return [];
        }

        var maps = Methods.ToDictionary(method => method, method =>
        {
            var map = new Raster(photo.Height, photo.Width, input.Raster.Channels);
            Run(method, map, progress, cancellation);
            return map;
        });
        if (copiesBytes)
            WriteExactly();
        else
            MapWriter.Write(output.TemporaryPath, maps[request.Method], input.Storage, marks.FirstAsGiven);
        output.Commit();
        var results = Compare(maps);
        if (figure is not null)
        {
            ImageFile.Write(figure.TemporaryPath, ComparisonFigure.Draw(MakePanels(results)));
            figure.Commit();
        }
        return results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        output.Dispose();
        figure?.Dispose();
        device?.Dispose();
    }

    private void WriteExactly() =>
        MapWriter.Write(output.TemporaryPath, input.Exact!, grid, input.Raster.Channels, input.Storage);

    private void Run(
        UpsampleMethod method,
        IMapSink sink,
        Action<UpsampleMethod, double> progress,
        CancellationToken cancellation)
    {
        // The last of two or four samples of a picture is its opacity; in other types four samples may be anything.
        bool hasOpacity = Kind == MapKind.Image
            && input is { Storage: ImageStorage { Type: SampleType.UInt8 or SampleType.UInt16 }, Raster.Channels: 2 or 4 };
        var codecs = MapCodecs.Of(Kind, hasOpacity, marks.First is { } mark ? [mark] : []);
        new GuidedRun(photo, method, Settings, device, codecs)
            .Run(input.Raster, sink, share => progress(method, share), cancellation);
    }

    private List<MethodResult> Compare(Dictionary<UpsampleMethod, Raster> maps)
    {
        if (truth is null)
            return [.. maps.Select(pair => new MethodResult(pair.Key, pair.Value, []))];
        var measure = QualityMeasure.For(Kind, input.Raster, truth, marks.First);
        Figures = measure.Figures;
        var figures = measure.Measure([.. maps.Values]);
        return [.. maps.Zip(figures, (pair, quality) => new MethodResult(pair.Key, pair.Value, quality))];
    }

    private List<Panel> MakePanels(IReadOnlyList<MethodResult> results)
    {
        var painter = MapPainter.For(input, Kind, marks.First);
        List<Panel> panels = [new([$"Photo {photo.SizeText}"], photo)];
        if (truth is not null)
        {
            panels.Add(new(["Truth"], painter.Paint(truth)));
            panels.Add(new([$"Input {input.Raster.SizeText}"], painter.Paint(input.Raster)));
        }
        foreach (var result in results)
        {
            var lines = Figures.Zip(result.Quality, (figure, value) => figure.Describe(value));
            string title = result.Method == UpsampleMethod.Nearest
                ? $"Nearest (input {input.Raster.SizeText})"
                : result.Method.Title();
            panels.Add(new([title, .. lines], painter.Paint(result.Map)));
        }
        return panels;
    }

    private CellGrid MakeGrid()
    {
        var map = input.Raster;
        return photo.Height >= map.Height && photo.Width >= map.Width
            ? new CellGrid(new CellAxis(map.Height, photo.Height), new CellAxis(map.Width, photo.Width))
            : throw new InvalidDataException(
                $"{request.Guide}: the photo is {photo.SizeText}, smaller than the map of {map.SizeText} in " +
                $"{request.Input}; use a photo that is at least as large.");
    }

    private void CheckFigure()
    {
        if (request.Figure is null)
            return;
        ImageFormat.Of(request.Figure);
    }

    private void Warn()
    {
        var map = input.Raster;
        if (Proportions.Describe(map.Height, map.Width, photo.Height, photo.Width) is { } proportions)
            warnings.Add($"{request.Input}: {proportions}");
        if (request.Method != UpsampleMethod.Nearest && input.Precision?.DescribeLoss(request.Input) is { } loss)
            warnings.Add(loss);
    }

    /// <summary>The extension of the result; where its name has none, as that of a pipe, one for the map.</summary>
    private string ResultExtension()
    {
        string extension = Path.GetExtension(request.Output);
        return extension.Length > 0 || !OutputFile.IsStream(request.Output) ? extension
            : input.Storage is ImageStorage image ? ImageFormat.ExtensionFor(image.Type) : ".npy";
    }

    private Raster ReadTruth(MapReader reader, string path)
    {
        var stored = reader.Read(InputFile.Open(path));
        var map = stored.Raster;
        if (map.Height != photo.Height || map.Width != photo.Width)
            throw new InvalidDataException(
                $"{path}: the truth is {map.SizeText}, but must be {photo.SizeText} like the photo.");
        if (map.Channels != input.Raster.Channels)
        {
            throw new InvalidDataException(
                $"{path}: the truth has {map.Channels} channels, but the input has {input.Raster.Channels}.");
        }
        if (!HaveSameUnits(stored.Storage, input.Storage))
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
