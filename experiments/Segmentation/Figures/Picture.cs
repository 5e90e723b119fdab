namespace SapaGpu.Segmentation;

/// <summary>A picture of red, green and blue bytes.</summary>
/// <param name="Height">The rows.</param>
/// <param name="Width">The columns.</param>
/// <param name="Pixels">The bytes, row by row.</param>
internal sealed record Picture(int Height, int Width, byte[] Pixels);
