namespace SapaGpu.Layers;

/// <summary>What layers leave for their backward, which takes it back in the reverse order.</summary>
/// <param name="keeps">Whether there is a backward; otherwise maps are disposed at once.</param>
internal sealed class Trace(bool keeps) : IDisposable
{
    private readonly List<FeatureMap> maps = [];
    private readonly List<MapShape> shapes = [];

    /// <summary>Gets whether there is a backward.</summary>
    public bool Keeps => keeps;

    /// <summary>Takes over a map that a layer is done with.</summary>
    public void Keep(FeatureMap map)
    {
        if (keeps)
            maps.Add(map);
        else
            map.Dispose();
    }

    /// <summary>Notes the shape of a map that is not needed itself.</summary>
    public void Note(MapShape shape) => shapes.Add(shape);

    /// <summary>Starts a backward; there may be several.</summary>
    public Reader Read() => new(maps, shapes);

    public void Dispose()
    {
        foreach (var map in maps)
            map.Dispose();
    }

    /// <summary>Goes through what was kept, the last first.</summary>
    public sealed class Reader(List<FeatureMap> maps, List<MapShape> shapes)
    {
        private int nextMap = maps.Count;
        private int nextShape = shapes.Count;

        /// <summary>Returns the map that was kept before; it stays with the trace.</summary>
        public FeatureMap Map() => maps[--nextMap];

        /// <summary>Returns the shape that was noted before.</summary>
        public MapShape Shape() => shapes[--nextShape];
    }
}
