namespace SapaGpu.Layers;

/// <summary>The initial values of parameters.</summary>
internal static class Initialisation
{
    private const double Limit = 2;

    /// <summary>
    /// Draws normal values of mean 0, redrawing those beyond ±2: the initialisation of linear layers in the authors'
    /// code and in Swin Transformer.
    /// </summary>
    public static void TruncatedNormal(Span<double> values, double deviation, Random random)
    {
        for (int i = 0; i < values.Length; i++)
        {
            do
            {
                // Box–Muller transform; 1 − u is never 0.
                double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
                values[i] = deviation * radius * Math.Cos(2 * Math.PI * random.NextDouble());
            }
            while (Math.Abs(values[i]) > Limit);
        }
    }
}
