using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>Decides how the map of a request is upsampled.</summary>
/// <param name="request">The request.</param>
/// <param name="marks">Its marks of missing values.</param>
/// <param name="warn">Receives what the user should know.</param>
internal sealed class MapPlanner(UpsampleRequest request, RequestedMarks marks, Action<string> warn)
{
    private const int MostClasses = 1 << 16;

    /// <summary>The kind that the options imply; null if they imply none.</summary>
    public static MapKind? KindOf(UpsampleRequest request) =>
        request.Kind ?? (
            request.Argmax || request.AreProbabilities ? MapKind.Logits
            : request.Threshold is not null ? MapKind.Mask
            : request.Fill ? MapKind.Depth
            : null);

    /// <summary>Plans the upsampling.</summary>
    /// <param name="input">The map.</param>
    /// <param name="extension">The extension of the result.</param>
    /// <param name="guide">The photo that covers the map.</param>
    /// <exception cref="ArgumentException">Options do not suit the map.</exception>
    /// <exception cref="InvalidDataException">The map holds other values than its kind may.</exception>
    public MapPlan Plan(StoredMap input, string extension, Photo guide)
    {
        var kind = KindOf(request) ?? KernelDefaults.KindOf(input.Raster, marks.First);
        if (kind == MapKind.Logits)
            return PlanScores(input, extension);
        var map = request.Fill ? Fill(input, guide) : input.Raster;
        bool changesValues = request.Fill || request.Threshold is not null;

        // The last of two or four samples of a picture is its opacity; in other types four samples may be anything.
        bool hasOpacity = kind == MapKind.Image
            && input is { Storage: ImageStorage { Type: SampleType.UInt8 or SampleType.UInt16 }, Raster.Channels: 2 or 4 };
        return new MapPlan
        {
            Kind = kind,
            Map = map,
            CodecOf = refines => MapCodecs.Of(
                kind, hasOpacity, marks.First is { } mark && !request.Fill ? [mark] : [], refines),
            Channels = map.Channels,
            Storage = input.Storage,
            Shown = input.Raster,
            Range = request.Threshold is null ? null : MaskRange.Of(request.Input, input, marks),
            Exact = changesValues ? null : input.Exact,
            MustBeExact = kind == MapKind.Labels || marks.First is not null || request.Threshold is not null,
        };
    }

    private MapPlan PlanScores(StoredMap input, string extension)
    {
        string name = request.Input;
        if (input.Storage is not ArrayStorage array)
        {
            throw new ArgumentException(
                $"{name}: logits are a .npy or .npz array with a channel for every class, but this is an image; use " +
                "--kind labels for an image of classes.");
        }
        var scores = ScoreMap.Of(name, input.Raster, request.AreProbabilities);
        if (scores.LookLikeProbabilities)
        {
            warn($"{name}: all scores are from 0 to 1, but those of a cell do not add up to 1; give --probabilities " +
                "if they are probabilities already.");
        }
        int unknownClass = marks.FirstAsGiven is { } mark ? UnknownClass(mark, scores.Classes) : -1;
        var (map, codec) = scores.Prepare(unknownClass, request.Argmax);
        return new MapPlan
        {
            Kind = MapKind.Logits,
            Map = map,
            CodecOf = _ => codec,
            Channels = request.Argmax ? 1 : map.Channels,
            Storage = request.Argmax ? ClassStorage(array, scores.Classes, extension) : ProbabilityStorage(array, extension),
            Shown = scores.Argmax(),
            AreProbabilities = scores.AreProbabilities,
            MustBeExact = true,
        };
    }

    private Raster Fill(StoredMap input, Photo guide)
    {
        bool isReal = input.Storage is ArrayStorage { IsFloatingPoint: true }
            or ImageStorage { Type: SampleType.Float32 or SampleType.Float64 };
        if (!isReal && marks.First is null)
        {
            throw new ArgumentException(
                $"{request.Input}: --fill needs to know what marks the holes of a map of whole numbers; add --unknown 0, " +
                "or whatever the value is.");
        }
        var unknown = new UnknownMarks([.. marks.First is { } mark ? (float[])[mark] : []]);
        double colourSigma = request.ColourSigma ?? KernelDefaults.PlainFor(MapKind.Depth).ColourSigma;
        return HoleFilling.Fill(input.Raster, unknown, guide, colourSigma)
            ?? throw new InvalidDataException($"{request.Input}: all values are missing; there is nothing to fill from.");
    }

    private int UnknownClass(double number, int classes) =>
        number >= 0 && number < classes && number == Math.Floor(number)
            ? (int)number
            : throw new ArgumentException(
                $"--unknown {number}: {request.Input} has the classes 0 to {classes - 1}; with logits it is the class that " +
                "does not spread.");

    private MapStorage ClassStorage(ArrayStorage scores, int classes, string extension)
    {
        if (classes > MostClasses)
            throw new InvalidDataException($"{request.Input}: {classes} classes are more than {MostClasses}, which labels hold.");
        bool fitsByte = classes <= 1 << 8;
        return MapReader.IsArray(extension)
            ? new ArrayStorage(fitsByte ? "|u1" : "<u2", ArrayLayout.Plane) { LeadingOnes = scores.LeadingOnes }
            : new ImageStorage(fitsByte ? SampleType.UInt8 : SampleType.UInt16, null);
    }

    private ArrayStorage ProbabilityStorage(ArrayStorage scores, string extension)
    {
        if (!MapReader.IsArray(extension))
        {
            throw new ArgumentException(
                $"{request.Output}: probabilities of classes are written as .npy; add --argmax for an image of labels.");
        }
        return scores.IsFloatingPoint ? scores : scores with { Descriptor = "<f4" };
    }
}
