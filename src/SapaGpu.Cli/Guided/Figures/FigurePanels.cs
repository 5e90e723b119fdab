namespace SapaGpu.Cli.Guided.Figures;

/// <summary>
/// The panels of a comparison: the photo and the result of every method, of which nearest shows the input; below them the
/// part in which the results differ most, enlarged; and what they differ in from the truth, or without one from each other.
/// </summary>
internal sealed class FigurePanels
{
    private const int LongSide = 480;
    private const int Zoom = 4;
    private const int FrameWidth = 2;

    private static readonly byte[] FrameColour = [255, 64, 64];

    private readonly Photo photo;
    private readonly MapPainter painter;
    private readonly DifferencePainter differences;
    private readonly IReadOnlyList<ShownResult> results;
    private readonly double scale;

    /// <summary>Prepares the panels.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="results">The results in the units that the painter paints.</param>
    /// <param name="painter">Paints maps.</param>
    /// <param name="differences">Paints differences of maps.</param>
    public FigurePanels(
        Photo photo, IReadOnlyList<ShownResult> results, MapPainter painter, DifferencePainter differences)
    {
        this.photo = photo;
        this.results = results;
        this.painter = painter;
        this.differences = differences;

        // Small pictures are enlarged a whole number of times, for pixels of one size.
        int side = Math.Max(photo.Height, photo.Width);
        scale = side > LongSide ? (double)LongSide / side : LongSide / side;
        Height = Math.Max(1, (int)Math.Round(photo.Height * scale));
        Width = Math.Max(1, (int)Math.Round(photo.Width * scale));
    }

    /// <summary>The rows of a panel.</summary>
    public int Height { get; }

    /// <summary>The columns of a panel.</summary>
    public int Width { get; }

    /// <summary>Makes the panels.</summary>
    /// <param name="truth">The truth; null if it is not known.</param>
    public IReadOnlyList<IReadOnlyList<Panel>> Make(Raster? truth)
    {
        var pictures = results.Select(result => painter.Paint(result.Map)).ToList();
        var detail = FindDetail(pictures[0], pictures[^1]);
        List<Panel> whole = [new([$"Photo {photo.SizeText}"], Frame(photo, detail))];
        List<Panel> zoomed = [new(["Enlarged where results differ most"], Cut(photo, detail))];
        foreach (var (result, picture) in results.Zip(pictures))
        {
            whole.Add(new(result.Caption, Frame(picture, detail)));
            zoomed.Add(new([result.Title], Cut(picture, detail)));
        }
        if (truth is not null)
        {
            double largest = results.Max(result => differences.Largest(result.Map, truth));
            List<Panel> errors = [new(["Truth"], painter.Paint(truth))];
            errors.AddRange(results.Select(result => new Panel(
                [$"{result.Title}: {differences.Describe(result.Map, truth)}"],
                differences.Paint(result.Map, truth, largest))));
            return [whole, zoomed, errors];
        }
        var (from, to) = (results[^2], results[^1]);
        var difference = differences.Paint(to.Map, from.Map, differences.Largest(to.Map, from.Map));
        string names = $"{to.Title} and {from.Title.ToLowerInvariant()}";
        whole.Add(new([$"{names}: {differences.Describe(to.Map, from.Map)}"], Frame(difference, detail)));
        zoomed.Add(new(["Their difference"], Cut(difference, detail)));
        return [whole, zoomed];
    }

    /// <summary>The part in which two pictures differ most.</summary>
    private Region FindDetail(Photo first, Photo second)
    {
        int height = DetailSide(photo.Height, Height), width = DetailSide(photo.Width, Width);

        // Sums over all that is above and on the left give those of every rectangle.
        var sums = new long[photo.Height + 1, photo.Width + 1];
        for (int row = 0; row < photo.Height; row++)
        {
            for (int column = 0; column < photo.Width; column++)
            {
                var one = first.PixelAt(row, column);
                var other = second.PixelAt(row, column);
                int difference = Math.Abs(one[0] - other[0]) + Math.Abs(one[1] - other[1]) + Math.Abs(one[2] - other[2]);
                sums[row + 1, column + 1] = difference + sums[row, column + 1] + sums[row + 1, column] - sums[row, column];
            }
        }
        var best = new Region((photo.Height - height) / 2, (photo.Width - width) / 2, height, width);
        long most = 0;
        for (int row = 0; row + height <= photo.Height; row++)
        {
            for (int column = 0; column + width <= photo.Width; column++)
            {
                long sum = sums[row + height, column + width] - sums[row, column + width] - sums[row + height, column]
                    + sums[row, column];
                if (sum > most)
                    (best, most) = (best with { Row = row, Column = column }, sum);
            }
        }
        return best;
    }

    // A pixel of the photo takes at least four of the panel, and the part no more than half of the photo.
    private static int DetailSide(int side, int panel) =>
        Math.Max(1, Math.Min((side + 1) / 2, (panel + Zoom - 1) / Zoom));

    private static Photo Cut(Photo picture, Region part) => Crop.Cut(picture, part);

    /// <summary>A picture at the size of a panel with a frame around a part.</summary>
    private Photo Frame(Photo picture, Region part)
    {
        var framed = picture.Resize(Height, Width);
        framed = framed with { Samples = [.. framed.Samples] };
        int top = (int)(part.Row * scale), left = (int)(part.Column * scale);
        int height = (int)Math.Ceiling(part.Height * scale), width = (int)Math.Ceiling(part.Width * scale);
        framed.Fill(new Region(top - FrameWidth, left - FrameWidth, FrameWidth, width + 2 * FrameWidth), FrameColour);
        framed.Fill(new Region(top + height, left - FrameWidth, FrameWidth, width + 2 * FrameWidth), FrameColour);
        framed.Fill(new Region(top, left - FrameWidth, height, FrameWidth), FrameColour);
        framed.Fill(new Region(top, left + width, height, FrameWidth), FrameColour);
        return framed;
    }
}
