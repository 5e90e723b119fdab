using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>The files of a request, of which only the headers were read, and which fit each other by their sizes.</summary>
/// <param name="Guide">The photo.</param>
/// <param name="Input">The map.</param>
/// <param name="MapReader">What reads the map.</param>
/// <param name="Truth">The truth; null if there is none.</param>
/// <param name="TruthReader">What reads the truth.</param>
internal sealed record CheckedInputs(
    InputFile Guide, InputFile Input, MapReader MapReader, InputFile? Truth, MapReader TruthReader)
{
    /// <summary>Opens the files and checks their sizes.</summary>
    /// <exception cref="ArgumentException">The part of the photo does not lie in it.</exception>
    /// <exception cref="InvalidDataException">A file cannot be read, or sizes do not fit.</exception>
    public static CheckedInputs Open(UpsampleRequest request, RequestedMarks marks)
    {
        var guide = InputFile.Open(request.Guide);
        var whole = ImageSource.ReadSize(guide);
        var part = Crop.SizeOf(request.Guide, whole, request.Crop);
        double proportion = (double)part.Height / part.Width;
        var input = InputFile.Open(request.Input);
        var mapReader = new MapReader(
            request.Labels, marks, request.Letterbox is null ? proportion : 1, request.Layout);
        SizeChecks.CheckMap(request, part, mapReader.ReadSize(input));
        var truth = request.Truth is null ? null : InputFile.Open(request.Truth);
        var truthReader = new MapReader(request.Labels || request.Argmax, marks, proportion, request.Layout);
        if (truth is not null)
            SizeChecks.CheckTruth(request, whole, part, truthReader.ReadSize(truth));
        return new CheckedInputs(guide, input, mapReader, truth, truthReader);
    }
}
