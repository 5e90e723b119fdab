namespace SapaGpu.Layers;

/// <summary>The initial values of parameters.</summary>
internal static class Initialisation
{
    private const double Limit = 2;

    /// <summary>
    /// Normal values of mean 0, drawn again beyond ±2: how the authors, like Swin Transformer before them, initialise
    /// linear maps.
    /// </summary>
    public static void TruncatedNormal(Span<double> values, double deviation, Random random)
    {
        for (int i = 0; i < values.Length; i++)
        {
            do
            {
                // Box and Muller; 1 − u is never 0.
                double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
                values[i] = deviation * radius * Math.Cos(2 * Math.PI * random.NextDouble());
            }
            while (Math.Abs(values[i]) > Limit);
        }
    }
}
