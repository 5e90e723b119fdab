namespace SapaGpu;

/// <summary>The initial values of parameters.</summary>
internal static class Initialisation
{
    private const double Deviation = 0.02;
    private const double Limit = 2;

    /// <summary>
    /// Normal values of mean 0 and deviation 0.02, drawn again beyond ±2: how the authors, like Swin Transformer before
    /// them, initialise linear maps.
    /// </summary>
    public static T[] TruncatedNormal<T>(long count, Random random)
        where T : unmanaged
    {
        var values = new T[count];
        for (long i = 0; i < count; i++)
        {
            double value;
            do
            {
                // Box and Muller; 1 − u is never 0.
                double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
                value = Deviation * radius * Math.Cos(2 * Math.PI * random.NextDouble());
            }
            while (Math.Abs(value) > Limit);
            values[i] = ElementTypes.FromDouble<T>(value);
        }
        return values;
    }

    /// <summary>The same value everywhere.</summary>
    public static T[] Constant<T>(long count, double value)
        where T : unmanaged
    {
        var values = new T[count];
        Array.Fill(values, ElementTypes.FromDouble<T>(value));
        return values;
    }
}
