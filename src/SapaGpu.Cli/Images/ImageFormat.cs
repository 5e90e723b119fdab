namespace SapaGpu.Cli.Images;

/// <summary>An image format for writing, and what it supports.</summary>
/// <param name="Name">The name in messages.</param>
/// <param name="Lossless">Whether samples are stored exactly.</param>
/// <param name="Channels">The supported numbers of channels.</param>
/// <param name="Types">The supported sample types.</param>
internal sealed record ImageFormat(
    string Name, bool Lossless, IReadOnlyList<int> Channels, IReadOnlyList<SampleType> Types)
{
    private static readonly ImageFormat Jpeg = new("JPEG", false, [1, 3], [SampleType.UInt8]);
    private static readonly ImageFormat Tiff =
        new("TIFF", true, [1, 2, 3, 4], Enum.GetValues<SampleType>());

    private static readonly Dictionary<string, ImageFormat> ByExtension = new(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = new("PNG", true, [1, 2, 3, 4], [SampleType.UInt8, SampleType.UInt16]),
        [".tif"] = Tiff,
        [".tiff"] = Tiff,
        [".webp"] = new("WebP", true, [1, 3, 4], [SampleType.UInt8]),
        [".jpg"] = Jpeg,
        [".jpeg"] = Jpeg,
    };

    /// <summary>Finds the format that a file name asks for.</summary>
    /// <exception cref="InvalidDataException">The format cannot be written.</exception>
    public static ImageFormat Of(string path) => Of(path, Path.GetExtension(path));

    /// <summary>Finds the format of an extension.</summary>
    /// <exception cref="InvalidDataException">The format cannot be written; the message names the path.</exception>
    public static ImageFormat Of(string path, string extension) =>
        ByExtension.TryGetValue(extension, out var format)
            ? format
            : throw new InvalidDataException(
                $"{path}: images can be written as {string.Join(", ", ByExtension.Keys)}; change the extension.");

    /// <summary>Whether images can be written with an extension.</summary>
    public static bool IsKnown(string extension) => ByExtension.ContainsKey(extension);

    /// <summary>The extension of the plainest format that supports a sample type exactly.</summary>
    public static string ExtensionFor(SampleType type) =>
        type is SampleType.UInt8 or SampleType.UInt16 ? ".png" : ".tif";

    /// <summary>Whether a file name asks for PNG.</summary>
    public static bool IsPng(string path) => Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase);
}
