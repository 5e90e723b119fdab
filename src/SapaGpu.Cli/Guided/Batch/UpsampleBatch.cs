using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided.Batch;

/// <summary>The maps of a command line with their photos, and those that have none.</summary>
internal sealed class UpsampleBatch
{
    private const int MostNames = 5;

    private readonly UpsampleArguments arguments;
    private readonly FileSet guides;
    private readonly FileSet? truths;
    private readonly ResultNames outputs;
    private readonly ResultNames? figures;
    private readonly List<UpsampleRequest> requests = [];
    private readonly List<UpsampleFailure> unmatched = [];

    /// <summary>Finds the files and what belongs together.</summary>
    /// <exception cref="ArgumentException">Names of results do not suit the files.</exception>
    /// <exception cref="InvalidDataException">A folder or pattern has no files, or a result would replace an input.</exception>
    public UpsampleBatch(UpsampleArguments arguments)
    {
        this.arguments = arguments;
        guides = FileSet.Of("--guide", arguments.Guides, FileKind.Photos);
        var inputs = FileSet.Of(
            "--input", arguments.Inputs, arguments.Template.Model is null ? FileKind.Maps : FileKind.Arrays);
        truths = arguments.Truths.Count == 0 ? null : FileSet.Of("--truth", arguments.Truths, FileKind.Maps);
        IsMany = inputs.IsMany;
        foreach (var set in (FileSet?[])[guides, inputs, truths])
        {
            if (IsMany && set is not null && set.Files.Any(file => InputFile.IsStandardInput(file.Path)))
                throw new ArgumentException($"{set.Option} -: standard input can be read once, for one map; name files.");
        }
        outputs = new ResultNames("--output", arguments.Output, IsMany);
        figures = arguments.Figure is { } figure ? new ResultNames("--compare", figure, IsMany) : null;
        foreach (var group in inputs.Files.GroupBy(file => file.Number?.ToString() ?? file.Stem))
            Add([.. group]);
        CheckResults(inputs);
        Warning = DescribeUnusedPhotos();
    }

    /// <summary>Whether there may be several maps, whose failures do not keep the others from being done.</summary>
    public bool IsMany { get; }

    /// <summary>What can be done, in the order of the names.</summary>
    public IReadOnlyList<UpsampleRequest> Requests => requests;

    /// <summary>The maps that have no photo or no truth, or too many.</summary>
    public IReadOnlyList<UpsampleFailure> Unmatched => unmatched;

    /// <summary>A warning of photos without maps; null if there are none.</summary>
    public string? Warning { get; }

    /// <summary>Makes the folders of the results.</summary>
    /// <exception cref="IOException">A folder cannot be made.</exception>
    public void MakeFolders()
    {
        foreach (string? folder in (string?[])[outputs.Folder, figures?.Folder])
        {
            if (folder is not null)
                Directory.CreateDirectory(folder);
        }
    }

    private void Add(List<SourceFile> maps)
    {
        string names = string.Join(" and ", maps.Select(map => map.Path));
        if (maps.Count > 1)
        {
            unmatched.Add(new UpsampleFailure(
                names, $"{names}: these have one name, and so would their results; give --input as a pattern for one of them."));
            return;
        }
        var map = maps[0];
        if (Find(guides, map, "photo") is not { } photo)
            return;
        var truth = truths is null ? null : Find(truths, map, "truth");
        if (truths is not null && truth is null)
            return;
        requests.Add(arguments.Template with
        {
            Input = map.Path,
            Guide = photo.Path,
            Truth = truth?.Path,
            Output = outputs.Of(map, photo, ResultExtension(map.Path)),
            Figure = figures?.Of(map, photo, ".png"),
        });
    }

    private SourceFile? Find(FileSet files, SourceFile map, string what)
    {
        var found = files.Matching(map);
        if (found.Count == 1)
            return found[0];
        if (!File.Exists(map.Path) && !InputFile.IsStandardInput(map.Path))
        {
            unmatched.Add(new UpsampleFailure(map.Path, $"{map.Path}: there is no such file."));
            return null;
        }
        string name = map.Number is { } number ? $"{number}" : map.Stem;
        string texts = string.Join(' ', files.Option == "--guide" ? arguments.Guides : arguments.Truths);
        unmatched.Add(new UpsampleFailure(map.Path, found.Count == 0
            ? $"{map.Path}: no {what} of {files.Option} {texts} has the name {name}."
            : $"{map.Path}: {string.Join(" and ", found.Select(file => file.Path))} all have the name {name}; give " +
              $"{files.Option} as a pattern for one of them."));
        return null;
    }

    /// <summary>Results may take the place of their own maps only.</summary>
    private void CheckResults(FileSet inputs)
    {
        var taken = new Dictionary<string, string>();
        foreach (var set in (FileSet?[])[guides, truths, inputs])
        {
            foreach (var file in set?.Files ?? [])
            {
                if (!InputFile.IsStandardInput(file.Path))
                    taken[FilePath.Resolve(file.Path)] = set!.Option;
            }
        }
        if (arguments.Template.Model is { } model)
            taken[FilePath.Resolve(model.Checkpoint)] = "--checkpoint";
        var results = new Dictionary<string, string>();
        foreach (var request in requests.Where(_ => IsMany))
        {
            foreach (string? result in (string?[])[request.Output, request.Figure])
            {
                if (result is null)
                    continue;
                string path = FilePath.Resolve(result);
                if (!results.TryAdd(path, request.Input))
                {
                    throw new InvalidDataException(
                        $"{result}: this would be the result of {results[path]} and of {request.Input}; use * or %04d in the " +
                        "name of results, or another folder for figures.");
                }
                if (!taken.TryGetValue(path, out string? option))
                    continue;
                bool isOwn = result == request.Output && FilePath.AreSame(result, request.Input);
                if (isOwn && option == "--input" && !arguments.Resume)
                    continue;
                throw new InvalidDataException(isOwn && option == "--input"
                    ? $"--resume: {result} is the map itself, which is there from the start; give results another folder."
                    : $"{result}: this is a file of {option}, which would be overwritten; give results another folder.");
            }
        }
    }

    private string? DescribeUnusedPhotos()
    {
        if (!IsMany || !guides.IsMany)
            return null;
        var used = requests.Select(request => request.Guide).ToHashSet();
        var unused = guides.Files.Select(file => file.Path).Where(path => !used.Contains(path)).ToList();
        if (unused.Count == 0)
            return null;
        string more = unused.Count > MostNames ? $" and {unused.Count - MostNames} more" : string.Empty;
        return $"no map was found for {string.Join(", ", unused.Take(MostNames))}{more}.";
    }

    /// <summary>The extension of a result in a folder: that of the map, or of a format that holds the same samples.</summary>
    private string ResultExtension(string map)
    {
        if (arguments.Template.Argmax)
            return ".png";
        string extension = Path.GetExtension(map).ToLowerInvariant();
        return arguments.Template.Model is not null
            || MapPlanner.KindOf(arguments.Template) == MapKind.Logits || extension is ".npy" or ".npz" ? ".npy"
            : extension is ".pfm" ? ".tif"
            : ImageFormat.IsKnown(extension) && ImageFormat.Of(map, extension).Lossless ? extension
            : ".png";
    }
}
