namespace SapaGpu.Guided;

/// <summary>Takes the samples of a map, rectangle by rectangle.</summary>
internal interface IMapSink
{
    /// <summary>Writes the samples of a rectangle, channels side by side.</summary>
    void Write(Region pixels, ReadOnlySpan<float> samples);
}
