namespace SapaGpu.Segmentation;

/// <summary>
/// A folder with <c>images/{split}/NAME.jpg</c>, <c>labels/{split}/NAME.png</c>, the names in <c>{split}.txt</c> (the
/// first word of every line), and <c>stats.json</c>.
/// </summary>
internal sealed class SegmentationDataset
{
    /// <summary>The split that networks are trained on.</summary>
    public const string Train = "train";

    /// <summary>The split that is only looked at while training.</summary>
    public const string Validation = "val";

    /// <summary>The split that results are given for.</summary>
    public const string Test = "test";

    private readonly string folder;

    private SegmentationDataset(string folder)
    {
        this.folder = folder;
        Name = Path.GetFileName(folder);
        Description = DatasetDescription.Read(folder);
    }

    /// <summary>Gets the name of the folder.</summary>
    public string Name { get; }

    /// <summary>Gets the classes and the size of the images.</summary>
    public DatasetDescription Description { get; }

    /// <summary>Opens a data set; no image is read yet.</summary>
    /// <exception cref="IOException">There is none.</exception>
    /// <exception cref="InvalidDataException">Its description is not right.</exception>
    public static SegmentationDataset Open(string folder) =>
        new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>Reads the images and label maps of a split into memory.</summary>
    /// <param name="split">The name of the split.</param>
    /// <param name="limit">
    /// The most images, taken at even distances, since neighbours may be alike; null for all.
    /// </param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is not what the description says.</exception>
    public ImageSet Load(string split, int? limit = null)
    {
        var names = Names(split);
        int count = Math.Min(limit ?? names.Length, names.Length);
        string[] chosen = [.. Enumerable.Range(0, count).Select(i => names[(long)i * names.Length / count])];
        return Load(split, chosen);
    }

    /// <summary>Reads some images of a split and their label maps into memory.</summary>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is not what the description says.</exception>
    public ImageSet Load(string split, IReadOnlyList<string> names)
    {
        var images = new byte[names.Count][];
        var labels = new byte[names.Count][];
        Each.InParallel(names.Count, i =>
        {
            images[i] = PixelReader.ReadColours(
                Path.Combine(folder, "images", split, $"{names[i]}.jpg"), Description.Height, Description.Width);
            labels[i] = ReadLabels(Path.Combine(folder, "labels", split, $"{names[i]}.png"));
        });
        return new ImageSet(Description.Height, Description.Width, names, images, labels);
    }

    private string[] Names(string split)
    {
        string path = Path.Combine(folder, $"{split}.txt");
        if (!File.Exists(path))
            throw new FileNotFoundException($"The data set {folder} has no {split}.txt.");
        string[] names = [.. File.ReadLines(path)
            .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length > 0)
            .Select(words => words[0])];
        return names.Length > 0 ? names : throw new InvalidDataException($"{path} names no image.");
    }

    private byte[] ReadLabels(string path)
    {
        var labels = PixelReader.ReadValues(path, Description.Height, Description.Width);
        int largest = labels.Max();
        return largest < Description.AllClasses.Count
            ? labels
            : throw new InvalidDataException(
                $"{path} has the value {largest}; the data set has {Description.AllClasses.Count} classes.");
    }
}
