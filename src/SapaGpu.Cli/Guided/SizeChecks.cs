using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>
/// Refuses files whose sizes cannot belong together. Sizes are in the headers: what is refused costs neither the time nor the
/// memory of its pixels, of which there may be far more than a computer holds.
/// </summary>
internal static class SizeChecks
{
    /// <summary>Checks the sizes of the photo and the map.</summary>
    /// <param name="request">The request.</param>
    /// <param name="part">The size of the part of the photo that the map covers.</param>
    /// <param name="map">The size of the map.</param>
    /// <exception cref="InvalidDataException">The map is larger than the photo.</exception>
    public static void CheckMap(UpsampleRequest request, ImageSize part, ImageSize map)
    {
        var (guide, cells) = (part, map);
        if (request.Letterbox is { } letterbox)
        {
            var placement = Placement.Of(map, part, letterbox);
            guide = new ImageSize(
                placement.Top + part.Height + placement.Bottom, placement.Left + part.Width + placement.Right);
            cells = new ImageSize(placement.Cells.Height, placement.Cells.Width);
        }
        if (guide.Height >= cells.Height && guide.Width >= cells.Width)
            return;
        string what = request.Crop is null ? "the photo" : "the part of --crop";
        throw new InvalidDataException(
            $"{request.Guide}: {what} is {part.Text}, smaller than the map of {cells.Text} in " +
            $"{request.Input}; use a photo that is at least as large.");
    }

    /// <summary>Checks the size of the truth.</summary>
    /// <param name="request">The request, which has a truth.</param>
    /// <param name="whole">The size of the photo.</param>
    /// <param name="part">The size of the part of the photo that the map covers.</param>
    /// <param name="truth">The size of the truth.</param>
    /// <exception cref="InvalidDataException">The truth has another size than the photo or its part.</exception>
    public static void CheckTruth(UpsampleRequest request, ImageSize whole, ImageSize part, ImageSize truth)
    {
        if (truth == part || truth == whole)
            return;
        throw new InvalidDataException(
            $"{request.Truth}: the truth is {truth.Text}, but must be {part.Text} like the photo.");
    }
}
