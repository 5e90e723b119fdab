using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>Maps between the type of features and the one of parameters, in which sums are.</summary>
internal static class Precision
{
    /// <summary>Returns a map in the type of the parameters, as a view where nothing changes.</summary>
    public static FeatureMap Widen(FeatureMap map)
    {
        if (map.ElementType == map.ElementType.Accumulator())
            return map.ChannelsOf(0, map.Shape.Channels);
        var wide = FeatureMap.Create(map.Device, map.Shape, map.Format, map.ElementType.Accumulator());
        Conversions.Widen(map, wide);
        return wide;
    }

    /// <summary>Returns a map rounded to the type of the features, as a view where nothing is to be rounded.</summary>
    public static FeatureMap<T> Narrow<T>(FeatureMap wide)
        where T : unmanaged
    {
        if (wide is FeatureMap<T> same)
            return same.Channels(0, same.Shape.Channels);
        var narrow = FeatureMap<T>.Create(wide.Device, wide.Shape, wide.Format);
        Conversions.Narrow(wide, narrow);
        return narrow;
    }
}
