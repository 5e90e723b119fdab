namespace SapaGpu.Operators;

/// <summary>Derives the window width from a map of weights with one channel for every tap.</summary>
internal static class WindowWidth
{
    /// <summary>Returns K for a map with K² channels.</summary>
    /// <exception cref="ArgumentException">The number of channels is not a square.</exception>
    public static int Of(string name, FeatureMap weights)
    {
        int channels = weights.Shape.Channels;
        int window = (int)Math.Round(Math.Sqrt(channels));
        return window * window == channels
            ? window
            : throw new ArgumentException(
                $"'{name}' must have K² channels, one for every tap of the window, but has {channels}; give options " +
                $"for several heads. Operands: {name} {weights}.",
                name);
    }

    /// <summary>Returns options for one head and the window that follows from a map of weights.</summary>
    /// <exception cref="ArgumentException">The number of channels is not a square.</exception>
    public static WindowAttentionOptions OptionsOf(
        string name, FeatureMap weights) => new() { Window = Of(name, weights) };
}
