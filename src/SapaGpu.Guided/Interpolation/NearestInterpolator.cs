using System.Runtime.CompilerServices;

namespace SapaGpu.Guided;

/// <summary>Every pixel takes the value of its own cell.</summary>
internal sealed class NearestInterpolator(CellGrid grid) : IInterpolator
{
    public int Reach => 0;

    public int WorkingChannels => 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Interpolate(
        Region cells, Region surroundings, int channels, ReadOnlySpan<float> values, Span<float> output)
    {
        var pixels = grid.PixelsOf(cells);
        int next = 0;
        for (int y = pixels.Row; y < pixels.EndRow; y++)
        {
            int row = (grid.Rows.CellOf(y) - surroundings.Row) * surroundings.Width;
            for (int x = pixels.Column; x < pixels.EndColumn; x++, next += channels)
            {
                int cell = row + grid.Columns.CellOf(x) - surroundings.Column;
                if (channels == 1)
                    output[next] = values[cell];
                else
                    values.Slice(cell * channels, channels).CopyTo(output[next..]);
            }
        }
    }
}
