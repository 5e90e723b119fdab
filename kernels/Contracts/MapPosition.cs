namespace SapaGpu.Kernels.Contracts;

/// <summary>The place of a value in a map.</summary>
internal struct MapPosition
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The channel.</summary>
    public int Channel;

    /// <summary>The row.</summary>
    public int Row;

    /// <summary>The column.</summary>
    public int Column;

    /// <summary>The same place in a map.</summary>
    public readonly long In<T>(in MapView<T> map)
        where T : unmanaged => map.Offset(Image, Channel, Row, Column);
}
