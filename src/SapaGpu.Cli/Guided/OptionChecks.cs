using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Cli.Guided;

/// <summary>Refuses options that contradict each other, before any file is read.</summary>
internal static class OptionChecks
{
    /// <summary>Checks the options of a request.</summary>
    /// <exception cref="ArgumentException">Two options contradict each other; the message names both.</exception>
    public static void Check(UpsampleRequest request)
    {
        if (request.Model is { } model)
        {
            if (request.Kind is { } kind and not MapKind.Features)
            {
                throw new ArgumentException(
                    $"--kind {Name(kind)}: --model {model.Model.Name()} upsamples features; leave --kind out.");
            }
            if (model.Size is { } size && request.Letterbox is not null)
            {
                throw new ArgumentException(
                    $"--size {size.Text} and --letterbox: where padding is cut off, the result has the size of the photo; give " +
                    "--guide-size for another.");
            }
            return;
        }
        Require(MapKind.Logits, request.Argmax, "--argmax", "finds the class of every pixel from scores of all classes");
        Require(MapKind.Logits, request.AreProbabilities, "--probabilities", "says what the channels of scores hold");
        Require(MapKind.Mask, request.Threshold is not null, "--threshold", "decides what belongs to the object of a mask");
        Require(MapKind.Depth, request.Fill, "--fill", "closes the holes of depth");
        if (MapPlanner.KindOf(request) != MapKind.Logits)
            return;
        if (request.Unknown.Count > 1)
            throw new ArgumentException("--unknown: logits have at most one class that does not spread; give it once.");
        if (request.Truth is not null && !request.Argmax)
            throw new ArgumentException("--truth: classes are compared, not probabilities; add --argmax.");

        void Require(MapKind kind, bool isGiven, string option, string purpose)
        {
            if (isGiven && MapPlanner.KindOf(request) is { } other && other != kind)
            {
                throw new ArgumentException(
                    $"{option} {purpose}, but the kind of map is {Name(other)}; leave {option} out, or give --kind " +
                    $"{Name(kind)} and no option of another kind.");
            }
        }
    }

    private static string Name(MapKind kind) => kind.ToString().ToLowerInvariant();
}
