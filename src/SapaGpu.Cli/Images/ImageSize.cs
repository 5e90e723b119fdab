namespace SapaGpu.Cli.Images;

/// <summary>The size of an image or a map.</summary>
internal sealed record ImageSize(int Height, int Width)
{
    /// <summary>The size in messages, width first.</summary>
    public string Text => $"{Width}x{Height}";
}
