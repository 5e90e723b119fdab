using System.CommandLine;
using System.Globalization;

namespace SapaGpu.Segmentation;

/// <summary>The options that several commands have, and what they mean.</summary>
internal static class CommandOptions
{
    private const string DataVariable = "SAPAGPU_DATA";
    private const string OutputFolder = "artifacts/segmentation";
    private static readonly string[] KnownDatasets = ["camvid", "nuclei"];

    /// <summary>The folders of data sets.</summary>
    public static Option<string[]> Data() => new("--data")
    {
        Description = $"The folder of a data set; may be given several times. Default: those of " +
            $"{string.Join(" and ", KnownDatasets)} that are in data/ of the folder that {DataVariable} names.",
        HelpName = "folder",
    };

    /// <summary>The folder of the runs.</summary>
    public static Option<string?> Output() => new("--output")
    {
        Description = $"The folder of the runs. Default: {OutputFolder}, with --quick {OutputFolder}-quick.",
        HelpName = "folder",
    };

    /// <summary>Whether the small version of everything is meant.</summary>
    public static Option<bool> Quick() => new("--quick")
    {
        Description =
            "The small version: some of the images, a few epochs, one seed. Shows that it works, not figures.",
    };

    /// <summary>Whether networks with lateral connections are meant.</summary>
    public static Option<bool> Skip() => new("--skip")
    {
        Description = "Add projected encoder features after every upsampling.",
    };

    /// <summary>The operators to compare.</summary>
    public static Option<string> Operators() => new("--operators")
    {
        Description = "Names of operators, separated by commas.",
        DefaultValueFactory = _ => string.Join(',', UpsamplingOperators.All.Select(kind => kind.Id())),
    };

    /// <summary>Opens the data sets that the option names, or those that are known.</summary>
    /// <exception cref="ArgumentException">There is none, or two have the same name.</exception>
    public static IReadOnlyList<SegmentationDataset> OpenDatasets(string[]? folders)
    {
        SegmentationDataset[] datasets =
            [.. (folders is { Length: > 0 } ? folders : FindDatasets()).Select(SegmentationDataset.Open)];
        var twice = datasets.GroupBy(dataset => dataset.Name).FirstOrDefault(named => named.Count() > 1);
        return twice is null
            ? datasets
            : throw new ArgumentException($"Two data sets are named {twice.Key}; results are stored by name.");
    }

    /// <summary>The folder of the runs that the options name.</summary>
    public static string ChooseOutput(string? output, bool isQuick) =>
        Path.GetFullPath(output ?? (isQuick ? $"{OutputFolder}-quick" : OutputFolder));

    /// <summary>The operators that the option names, in the order of tables.</summary>
    /// <exception cref="ArgumentException">One of them does not exist.</exception>
    public static IReadOnlyList<UpsamplingOperator> ParseOperators(string list) =>
        [.. Split(list).Select(UpsamplingOperators.Parse).Distinct().Order()];

    /// <summary>The whole numbers of a list.</summary>
    /// <exception cref="ArgumentException">It is no such list.</exception>
    public static IReadOnlyList<int> ParseNumbers(string list) => [.. Split(list).Select(word =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new ArgumentException($"{list} is not a list of whole numbers separated by commas."))];

    private static string[] Split(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static string[] FindDatasets()
    {
        string? root = Environment.GetEnvironmentVariable(DataVariable);
        if (string.IsNullOrEmpty(root))
        {
            throw new ArgumentException(
                $"There is no data set: give --data, or set {DataVariable}. See docs/segmentation.md.");
        }
        string[] found = [.. KnownDatasets.Select(name => Path.Combine(root, "data", name)).Where(Directory.Exists)];
        return found.Length > 0
            ? found
            : throw new ArgumentException(
                $"{Path.Combine(root, "data")} has neither {string.Join(" nor ", KnownDatasets)}. See docs/segmentation.md.");
    }
}
