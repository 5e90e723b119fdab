using System.Runtime.CompilerServices;

namespace SapaGpu.Guided;

/// <summary>
/// Queries and keys whose inner product is the exponent of a joint bilateral kernel (Kopf et al., <i>Joint Bilateral
/// Upsampling</i>, SIGGRAPH 2007, section 3).
/// </summary>
/// <remarks>
/// With a = [colour / σ_colour, position / σ_space] of a pixel and b that of a cell, the query is [a, −½] and the key
/// [b, ‖b‖²]; their product is −‖a − b‖²/2 + ‖a‖²/2, and the last term is the same for all cells of a window, so it
/// cancels in the softmax. Positions are relative to the centre of the rectangle that is computed, colours to medium
/// grey, so that the products stay small and accurate in single precision.
/// </remarks>
internal sealed class LiftedFeatures
{
    /// <summary>The numbers of a query or key: three colours, two positions and the squared length.</summary>
    public const int Channels = Photo.Channels + 3;

    private const float MiddleColour = 0.5f;

    private readonly CellGrid grid;
    private readonly Photo photo;
    private readonly float[] cellColours;
    private readonly float colourFactor;
    private readonly double spaceFactor;
    private readonly bool usesLab;

    /// <summary>Prepares the features of a photo; the colour of a cell is the mean over its area.</summary>
    public LiftedFeatures(CellGrid grid, Photo photo, KernelSettings settings)
    {
        this.grid = grid;
        this.photo = photo;
        cellColours = AreaAverage.Shrink(
            photo.Samples, photo.Height, photo.Width, Photo.Channels, grid.Rows.Cells, grid.Columns.Cells);
        colourFactor = (float)(1 / settings.ColourSigma);
        spaceFactor = 1 / settings.SpaceSigma;
        usesLab = settings.Refines;
        if (usesLab)
        {
            for (int i = 0; i < cellColours.Length; i += Photo.Channels)
                LabColour.Convert(cellColours.AsSpan(i, Photo.Channels));
        }
    }

    /// <summary>Writes the keys of a rectangle of cells, channels side by side.</summary>
    public void FillKeys(Region cells, Span<float> keys)
    {
        var (middleRow, middleColumn) = MiddleOf(cells);
        int next = 0;
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++, next += Channels)
            {
                int cell = row * grid.Columns.Cells + column;
                var key = keys.Slice(next, Channels);
                Lift(
                    cellColours.AsSpan(cell * Photo.Channels, Photo.Channels),
                    row - middleRow,
                    column - middleColumn,
                    key);
                double squares = 0;
                foreach (float feature in key[..^1])
                    squares += (double)feature * feature;
                key[^1] = (float)squares;
            }
        }
    }

    /// <summary>
    /// Writes the queries of the pixels of some cells: a block of scale×scale slots for every cell of the surroundings.
    /// Slots that no pixel fills have the query zero.
    /// </summary>
    public void FillQueries(Region cells, Region surroundings, Memory<float> queries)
    {
        var (middleRow, middleColumn) = MiddleOf(surroundings);
        var pixels = grid.PixelsOf(cells);
        int scale = grid.Scale;
        queries.Span.Clear();
        Parallel.For(pixels.Row, pixels.EndRow, [MethodImpl(MethodImplOptions.AggressiveOptimization)] (y) =>
        {
            Span<float> colour = stackalloc float[Photo.Channels];
            int slotRow = PackedIndex(grid.Rows, y, surroundings.Row, scale);
            double down = grid.Rows.PositionOf(y) - middleRow;
            var row = queries.Span.Slice(
                slotRow * surroundings.Width * scale * Channels, surroundings.Width * scale * Channels);
            for (int x = pixels.Column; x < pixels.EndColumn; x++)
            {
                var samples = photo.PixelAt(y, x);
                for (int c = 0; c < colour.Length; c++)
                    colour[c] = samples[c] * Photo.SampleUnit;
                if (usesLab)
                    LabColour.Convert(colour);
                int slot = PackedIndex(grid.Columns, x, surroundings.Column, scale);
                var query = row.Slice(slot * Channels, Channels);
                Lift(colour, down, grid.Columns.PositionOf(x) - middleColumn, query);
                query[^1] = -0.5f;
            }
        });
    }

    /// <summary>Takes the pixels of some cells out of the blocks of slots that the operator worked on.</summary>
    public void Unpack(Region cells, Region surroundings, int channels, ReadOnlySpan<float> packed, Span<float> output)
    {
        var pixels = grid.PixelsOf(cells);
        int scale = grid.Scale;
        int next = 0;
        for (int y = pixels.Row; y < pixels.EndRow; y++)
        {
            int row = PackedIndex(grid.Rows, y, surroundings.Row, scale) * surroundings.Width * scale;
            for (int x = pixels.Column; x < pixels.EndColumn; x++, next += channels)
            {
                int slot = row + PackedIndex(grid.Columns, x, surroundings.Column, scale);
                packed.Slice(slot * channels, channels).CopyTo(output[next..]);
            }
        }
    }

    private static int PackedIndex(CellAxis axis, int pixel, int firstCell, int scale)
    {
        int cell = axis.CellOf(pixel);
        return (cell - firstCell) * scale + pixel - axis.FirstPixel(cell);
    }

    private static (double Row, double Column) MiddleOf(Region cells) =>
        (cells.Row + (cells.Height - 1) / 2.0, cells.Column + (cells.Width - 1) / 2.0);

    private void Lift(ReadOnlySpan<float> colour, double down, double across, Span<float> features)
    {
        for (int c = 0; c < colour.Length; c++)
            features[c] = (colour[c] - MiddleColour) * colourFactor;
        features[Photo.Channels] = (float)(down * spaceFactor);
        features[Photo.Channels + 1] = (float)(across * spaceFactor);
    }
}
