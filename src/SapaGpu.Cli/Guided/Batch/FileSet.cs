using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Batch;

/// <summary>The files that an option names: a file, several, a folder, or patterns.</summary>
internal sealed class FileSet
{
    private static readonly string[] PhotoExtensions =
    [
        ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".avif", ".svg", ".bmp", ".pbm", ".pgm", ".ppm", ".pnm",
        ".pfm",
    ];

    private static readonly string[] ArrayExtensions = [".npy", ".npz"];

    private static readonly Dictionary<FileKind, (string[] Extensions, string Names)> Kinds = new()
    {
        [FileKind.Photos] = (PhotoExtensions, "image"),
        [FileKind.Maps] = ([.. PhotoExtensions, .. ArrayExtensions], "image or array"),
        [FileKind.Arrays] = (ArrayExtensions, "array"),
    };

    private readonly ILookup<string, SourceFile> byStem;
    private readonly ILookup<string, SourceFile> byVarying;
    private readonly ILookup<long, SourceFile> byNumber;

    private FileSet(string option, IReadOnlyList<SourceFile> files, bool isMany)
    {
        Option = option;
        Files = files;
        IsMany = isMany;
        byStem = files.ToLookup(file => file.Stem);
        byVarying = files.Where(file => file.Varying is not null).ToLookup(file => file.Varying!);
        byNumber = files.Where(file => file.Number is not null).ToLookup(file => file.Number!.Value);
    }

    /// <summary>The option, for messages.</summary>
    public string Option { get; }

    /// <summary>The files, sorted by name within each folder or pattern.</summary>
    public IReadOnlyList<SourceFile> Files { get; }

    /// <summary>Whether the option may name more than one file, though there may be only one.</summary>
    public bool IsMany { get; }

    /// <summary>Finds the files of an option.</summary>
    /// <param name="option">The name of the option.</param>
    /// <param name="texts">What was given for it.</param>
    /// <param name="kind">What a folder is searched for.</param>
    /// <exception cref="InvalidDataException">A folder or a pattern has no files.</exception>
    public static FileSet Of(string option, IReadOnlyList<string> texts, FileKind kind)
    {
        var files = new List<SourceFile>();
        bool isMany = texts.Count > 1;
        foreach (string text in texts)
        {
            var found = Expand(text, kind);
            isMany |= found is not null;
            if (found is { Count: 0 })
                throw new InvalidDataException($"{option} {text}: {WhyNothing(text, kind)}");
            files.AddRange(found ?? [new SourceFile(text)]);
        }
        return new FileSet(option, [.. files.DistinctBy(file => file.Path)], isMany);
    }

    /// <summary>
    /// The files that belong to one of another option: all that have its number or its name, and if none has, those for
    /// which an asterisk stands for the same, as in <c>*_mask.png</c>.
    /// </summary>
    public IReadOnlyList<SourceFile> Matching(SourceFile other)
    {
        if (!IsMany)
            return Files;
        if (other.Number is { } number && byNumber.Count > 0)
            return [.. byNumber[number]];
        IEnumerable<SourceFile>[] found =
        [
            byStem[other.Stem], byVarying[other.Stem],
            .. other.Varying is { } varying ? (IEnumerable<SourceFile>[])[byVarying[varying], byStem[varying]] : [],
        ];
        return [.. found.FirstOrDefault(files => files.Any()) ?? []];
    }

    /// <summary>The files of a folder or pattern; null for a file.</summary>
    private static List<SourceFile>? Expand(string text, FileKind kind)
    {
        if (Directory.Exists(text))
        {
            var extensions = Kinds[kind].Extensions;
            return
            [
                .. Wildcard.Find(Path.Combine(text, "*"))
                    .Where(path => extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase))
                    .Select(path => new SourceFile(path)),
            ];
        }

        // A file may have any name, also one that looks like a pattern.
        if (InputFile.IsStandardInput(text) || File.Exists(text))
            return null;
        if (FramePattern.TryParse(text) is { } frames)
        {
            return
            [
                .. Wildcard.Find(Path.Combine(frames.Folder, "*"))
                    .Select(path => new SourceFile(path) { Number = frames.NumberOf(Path.GetFileName(path)) })
                    .Where(file => file.Number is not null)
                    .OrderBy(file => file.Number),
            ];
        }
        return Wildcard.IsIn(text)
            ? [.. Wildcard.Find(text).Select(path => new SourceFile(path) { Varying = Wildcard.Varying(text, path) })]
            : null;
    }

    private static string WhyNothing(string text, FileKind kind) =>
        Directory.Exists(text) ? $"the folder has no {Kinds[kind].Names} that is read; name another."
        : FramePattern.TryParse(text) is { } frames
            ? $"there is no file such as {frames.NameOf(1)}; check the folder and the number of digits."
        : "no file has such a name; check the folder and the extension.";
}
