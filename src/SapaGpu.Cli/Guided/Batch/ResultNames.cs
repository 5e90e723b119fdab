using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Batch;

/// <summary>The names of results: a file, a folder, or a pattern with <c>*</c> or <c>%04d</c>.</summary>
internal sealed class ResultNames
{
    private readonly string option;
    private readonly string text;
    private readonly FramePattern? frames;
    private readonly bool isFolder;
    private readonly bool hasStem;

    /// <summary>Reads what was given for an option.</summary>
    /// <param name="option">The name of the option.</param>
    /// <param name="text">What was given.</param>
    /// <param name="isMany">Whether there may be more than one result.</param>
    /// <exception cref="ArgumentException">Several results need other names.</exception>
    public ResultNames(string option, string text, bool isMany)
    {
        this.option = option;
        this.text = text;
        if (OutputFile.IsStream(text))
        {
            if (isMany)
                throw new ArgumentException($"{option} {text}: several results are files; name a folder or a pattern.");
            return;
        }
        isFolder = Directory.Exists(text) || Path.EndsInDirectorySeparator(text)
            || (isMany && !text.AsSpan().ContainsAny('*', '%') && !HasFormat(text));
        frames = isFolder ? null : FramePattern.TryParse(text);
        hasStem = !isFolder && Path.GetFileName(text).Count(sign => sign == '*') == 1;
        if (isMany && !isFolder && frames is null && !hasStem)
        {
            throw new ArgumentException(
                $"{option} {text}: several results need a folder, or a name with one * for the name of the map or %04d for " +
                $"its number, as in {Path.Combine(Path.GetDirectoryName(text) ?? string.Empty, "*" + Path.GetExtension(text))}.");
        }
    }

    /// <summary>The folder that is made for the results; null where there is nothing to make.</summary>
    public string? Folder => isFolder ? text : null;

    /// <summary>The name of a result.</summary>
    /// <param name="map">The map.</param>
    /// <param name="photo">Its photo.</param>
    /// <param name="extension">The extension in a folder.</param>
    /// <exception cref="ArgumentException">The pattern wants a number or a name that the map does not have.</exception>
    public string Of(SourceFile map, SourceFile photo, string extension)
    {
        if (frames is not null)
        {
            return frames.NameOf(map.Number ?? photo.Number ?? throw new ArgumentException(
                $"{option} {text}: {map.Path} has no number; give --input or --guide as a pattern with %04d, too, or name " +
                "results with * or a folder."));
        }
        if (!isFolder && !hasStem)
            return text;
        if (InputFile.IsStandardInput(map.Path))
            throw new ArgumentException($"{option} {text}: standard input has no name; name a file.");
        return isFolder ? Path.Combine(text, map.Stem + extension)
            : Path.Combine(Path.GetDirectoryName(text) ?? string.Empty, Path.GetFileName(text).Replace("*", map.Varying ?? map.Stem));
    }

    private static bool HasFormat(string path)
    {
        string extension = Path.GetExtension(path);
        return MapReader.IsArray(extension) || ImageFormat.IsKnown(extension);
    }
}
