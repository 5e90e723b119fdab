using SapaGpu.Cli.Guided.Models;

namespace SapaGpu.Cli.Guided.Figures;

/// <summary>Projects rows of features on principal components as they come.</summary>
/// <param name="components">The components.</param>
/// <param name="height">The rows.</param>
/// <param name="width">The columns.</param>
/// <param name="hasPlanes">Whether a row is that of one channel.</param>
internal sealed class ComponentSink(PrincipalComponents components, int height, int width, bool hasPlanes) : IRowSink
{
    private readonly double[] sums = new double[(long)height * width * components.Count];

    /// <inheritdoc/>
    public void Write(int channel, int row, ReadOnlySpan<double> values)
    {
        var points = sums.AsSpan(row * width * components.Count, width * components.Count);
        int samples = values.Length / width;
        for (int c = 0; c < components.Count; c++)
        {
            if (hasPlanes)
            {
                double weight = components.Weight(c, channel);
                for (int x = 0; x < width; x++)
                    points[x * components.Count + c] += weight * values[x];
                continue;
            }
            for (int x = 0; x < width; x++)
                points[x * components.Count + c] = components.Dot(c, values.Slice(x * samples, samples));
        }
    }

    /// <summary>The components of every point.</summary>
    public Raster ToRaster()
    {
        var raster = new Raster(height, width, components.Count);
        for (int i = 0; i < sums.Length; i++)
            raster.Values[i] = (float)(sums[i] - components.Offset(i % components.Count));
        return raster;
    }
}
