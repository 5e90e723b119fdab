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

    /// <summary>
    /// Returns a map in the type of the parameters, and on devices that run vector programs channels-last, the format in which
    /// they are fastest; as a view where nothing changes.
    /// </summary>
    public static FeatureMap Prepare(FeatureMap map)
    {
        if (!map.Device.RunsVectorPrograms || map.Format == MemoryFormat.ChannelsLast)
            return Widen(map);
        var prepared = FeatureMap.Create(
            map.Device, map.Shape, MemoryFormat.ChannelsLast, map.ElementType.Accumulator());
        Conversions.Widen(map, prepared);
        return prepared;
    }

    /// <summary>Returns a map rounded to the type of the features, as a view where nothing is to be rounded.</summary>
    public static FeatureMap<T> Narrow<T>(FeatureMap wide)
        where T : unmanaged => Narrow<T>(wide, wide.Format);

    /// <summary>
    /// Returns a map rounded to the type of the features in a format, as a view where nothing changes.
    /// </summary>
    public static FeatureMap<T> Narrow<T>(FeatureMap wide, MemoryFormat format)
        where T : unmanaged
    {
        if (wide is FeatureMap<T> same && same.Format == format)
            return same.Channels(0, same.Shape.Channels);
        var narrow = FeatureMap<T>.Create(wide.Device, wide.Shape, format);
        Conversions.Narrow(wide, narrow);
        return narrow;
    }
}
