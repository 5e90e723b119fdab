namespace SapaGpu.Segmentation;

/// <summary>Images of one size with their label maps.</summary>
/// <param name="Height">The rows.</param>
/// <param name="Width">The columns.</param>
/// <param name="Names">The names of the images.</param>
/// <param name="Images">Red, green and blue of every pixel, row by row.</param>
/// <param name="Labels">The class of every pixel, row by row.</param>
internal sealed record ImageSet(
    int Height, int Width, IReadOnlyList<string> Names, IReadOnlyList<byte[]> Images, IReadOnlyList<byte[]> Labels)
{
    /// <summary>The bytes of a pixel of an image.</summary>
    public const int Channels = 3;

    /// <summary>Gets how many images there are.</summary>
    public int Count => Images.Count;
}
