namespace SapaGpu.Guided;

/// <summary>Makes the codec of a map, for every step of its way to full size.</summary>
/// <param name="map">The map of the step.</param>
/// <param name="isFirst">Whether it is the map that was given.</param>
/// <param name="isLast">Whether the step's result is the one that was asked for.</param>
internal delegate IMapCodec CodecOfStep(Raster map, bool isFirst, bool isLast);

/// <summary>The codecs of the kinds of maps.</summary>
internal static class MapCodecs
{
    /// <summary>The codec of a kind.</summary>
    /// <param name="kind">The kind; logits have their own.</param>
    /// <param name="hasOpacity">Whether the last channel is opacity.</param>
    /// <param name="unknown">The marks of missing values.</param>
    /// <param name="refines">Whether more is wanted than means of cells.</param>
    public static CodecOfStep Of(MapKind kind, bool hasOpacity, IReadOnlyList<float> unknown, bool refines)
    {
        var marks = new UnknownMarks([.. unknown]);
        return kind switch
        {
            MapKind.Labels => (map, _, _) => new LabelCodec(
                new ClassMap(map), unknown.Count > 0 ? unknown[0] : null),
            _ when hasOpacity && unknown.Count == 0 => (map, _, _) => new OpacityCodec(map),
            MapKind.Mask when refines => (map, _, isLast) =>
                (IMapCodec?)MaskCodec.TryCreate(map, marks, decides: !isLast) ?? new LinearCodec(map, marks),
            MapKind.Depth or MapKind.Image when refines => (map, _, _) => new LinearCodec(map, marks),
            _ => (map, _, _) => new ContinuousCodec(map, marks),
        };
    }

    /// <summary>The codec of scores or probabilities of classes.</summary>
    /// <param name="areProbabilities">Whether the map that is given holds probabilities.</param>
    /// <param name="unknownClass">The class that does not spread; -1 for none.</param>
    /// <param name="decides">Whether the number of a class is wanted, not the probabilities.</param>
    public static CodecOfStep OfClasses(bool areProbabilities, int unknownClass, bool decides) =>
        (map, isFirst, isLast) => new ProbabilityCodec(
            map, areProbabilities || !isFirst, unknownClass, decides && isLast);
}
