namespace SapaGpu.Operators;

/// <summary>Finds the window of a map of weights, which has one channel for every tap.</summary>
internal static class WindowWidth
{
    /// <summary>K, where the channels are K².</summary>
    /// <exception cref="ArgumentException">The channels are no square.</exception>
    public static int Of(string name, FeatureMap weights)
    {
        int channels = weights.Shape.Channels;
        int window = (int)Math.Round(Math.Sqrt(channels));
        return window * window == channels
            ? window
            : throw new ArgumentException(
                $"'{name}' must have K² channels, one for every tap of the window; it has {channels}: {weights}.", name);
    }

    /// <summary>The options of one head whose window a map of weights has.</summary>
    /// <exception cref="ArgumentException">The channels are no square.</exception>
    public static WindowAttentionOptions OptionsOf(
        string name, FeatureMap weights) => new() { Window = Of(name, weights) };
}
