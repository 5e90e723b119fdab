
namespace SapaGpu.Guided;

/// <summary>
/// Every pixel takes a weighted mean of the four cells around it. Pixels and cells have their centres at halves, as
/// with <c>align_corners=False</c>, whatever the ratio of the sizes; beyond the outermost centres the map is constant.
/// </summary>
internal sealed class BilinearInterpolator(CellGrid grid) : IInterpolator
{
    public int Reach => 1;

    public int WorkingChannels => 0;

    public void Interpolate(
        Region cells, Region surroundings, int channels, ReadOnlySpan<float> values, Span<float> output)
    {
        var pixels = grid.PixelsOf(cells);
        int next = 0;
        for (int y = pixels.Row; y < pixels.EndRow; y++)
        {
            var (top, bottom, down) = Neighbours(grid.Rows, y);
            int topRow = (top - surroundings.Row) * surroundings.Width - surroundings.Column;
            int bottomRow = (bottom - surroundings.Row) * surroundings.Width - surroundings.Column;
            for (int x = pixels.Column; x < pixels.EndColumn; x++)
            {
                var (left, right, across) = Neighbours(grid.Columns, x);
                var topLeft = values.Slice((topRow + left) * channels, channels);
                var topRight = values.Slice((topRow + right) * channels, channels);
                var bottomLeft = values.Slice((bottomRow + left) * channels, channels);
                var bottomRight = values.Slice((bottomRow + right) * channels, channels);
                for (int c = 0; c < channels; c++)
                {
                    output[next++] = float.Lerp(
                        float.Lerp(topLeft[c], topRight[c], across),
                        float.Lerp(bottomLeft[c], bottomRight[c], across),
                        down);
                }
            }
        }
    }

    private static (int First, int Second, float Share) Neighbours(CellAxis axis, int pixel)
    {
        double position = Math.Clamp(axis.PositionOf(pixel), 0, axis.Cells - 1);
        int first = (int)position;
        return (first, Math.Min(first + 1, axis.Cells - 1), (float)(position - first));
    }
}
