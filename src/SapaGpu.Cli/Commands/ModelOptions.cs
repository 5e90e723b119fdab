using System.CommandLine;
using System.Globalization;
using SapaGpu.Cli.Guided.Models;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Commands;

/// <summary>The options of <c>sapagpu upsample</c> that belong to trained models.</summary>
internal sealed class ModelOptions
{
    private static readonly Dictionary<string, UpsamplingModel> Models =
        Enum.GetValues<UpsamplingModel>().ToDictionary(model => model.Name());

    private readonly Option<string?> model = new("--model")
    {
        Description = "Upsample features of any backbone with a trained model in place of a method: NAF or AnyUp, with the " +
            "parameters of --checkpoint. --input is then an array of real numbers, [C, H, W] or [H, W, C], and so is --output.",
    };

    private readonly Option<string?> checkpoint = new("--checkpoint", "-c")
    {
        Description = "The parameters of --model: the state_dict of the published module, a .pth or .safetensors file. No code in " +
            "it is run.",
        HelpName = "file",
    };

    private readonly Option<string?> prefix = new("--prefix")
    {
        Description = "How the names of the model's parameters begin in the checkpoint, such as \"upsampler.\".",
        HelpName = "text",
    };

    private readonly Option<ImageSize?> size = SizeOption.One(
        "--size", "With --model, the size of the result. Default: that of the photo.");

    private readonly Option<ImageSize?> guideSize = SizeOption.One(
        "--guide-size",
        "With --model, make the photo this small before it is encoded, by averaging. Default: its own size.");

    private readonly Option<double[]?> mean = Triple(
        "--image-mean",
        "the means must be one number for all channels, or three with commas for red, green and blue.",
        double.IsFinite);

    private readonly Option<double[]?> deviation = Triple(
        "--image-std",
        "the standard deviations must be one number above 0 for all channels, or three with commas for red, green and blue.",
        number => double.IsFinite(number) && number > 0);

    private readonly Option<string> type = CommonOptions.ElementType();

    private readonly Option<int?> heads = Count(
        "--heads", "With --model, the heads of the attention, which no checkpoint tells. Default: 4.");

    private readonly Option<double?> windowRatio = NumberOption.One<double>(
        "--window-ratio",
        "the ratio must be a number from 0 to 1.",
        ratio => ratio is >= 0 and <= 1 ? ratio : null);

    private readonly Option<int?> normGroups = Count(
        ExportOptions.NormGroupsName, "With --model, the groups of the GroupNorms, which no checkpoint tells. Default: 8.");

    private readonly Option<double?> epsilon = NumberOption.One<double>(
        ExportOptions.EpsilonName,
        "this must be a number from 0 on.",
        number => number >= 0 && double.IsFinite(number) ? number : null);

    /// <summary>Completes the options.</summary>
    public ModelOptions()
    {
        model.AcceptOnlyFromAmong([.. Models.Keys]);
        var standard = ImageNormalisation.ImageNet;
        mean.Description = "With --model, what is subtracted from red, green and blue, which go from 0 to 1. Default: " +
            $"{Text(standard.Mean)}, ImageNet's; 0 for nothing.";
        deviation.Description = "With --model, what they are then divided by. Default: " +
            $"{Text(standard.Deviation)}, ImageNet's; 1 for nothing.";
        type.Description = "With --model, the element type that is computed in: f64, f32, f16 or bf16. The result has the type of " +
            "the features.";
        windowRatio.Description = "With --model anyup, the part of the map that a point sees on either side, 0 for the whole map. " +
            "Default: 0.1.";
        windowRatio.HelpName = "number";
        epsilon.Description = "With --model, what the GroupNorms add to the variance. Default: 0.00001.";
        epsilon.HelpName = "number";
    }

    /// <summary>All options in the order of the help.</summary>
    public IReadOnlyList<Option> All =>
    [
        model, checkpoint, prefix, size, guideSize, mean, deviation, type, heads, windowRatio, normGroups, epsilon,
    ];

    /// <summary>Whether a model is asked for.</summary>
    public bool IsGiven(ParseResult result) => result.GetValue(model) is not null;

    /// <summary>What the command line says about a model; null if none is asked for.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="window">The width of the window; null if it was not given.</param>
    /// <param name="others">The options that mean nothing to a model.</param>
    /// <exception cref="ArgumentException">An option is missing, or means nothing here.</exception>
    public ModelRequest? Read(ParseResult result, int? window, IReadOnlyList<Option> others)
    {
        if (result.GetValue(model) is not { } name)
        {
            if (All.FirstOrDefault(option => WasGiven(result, option)) is { } stray)
                throw new ArgumentException($"{stray.Name} belongs to --model; add --model naf or anyup, or leave it out.");
            return null;
        }
        var kind = Models[name];
        if (others.FirstOrDefault(option => WasGiven(result, option)) is { } foreign)
            throw new ArgumentException($"{foreign.Name} means nothing with --model {name}; leave it out.");
        if (kind == UpsamplingModel.Naf && WasGiven(result, windowRatio))
            throw new ArgumentException("--window-ratio means nothing with --model naf, whose window is --window; leave it out.");
        if (kind == UpsamplingModel.AnyUp && window is not null)
            throw new ArgumentException("--window means nothing with --model anyup, whose window is --window-ratio; leave it out.");
        string path = result.GetValue(checkpoint) is { Length: > 0 } file ? file : throw new ArgumentException(
            $"--model {name}: give the file of its parameters with --checkpoint; none come with the tool.");
        if (InputFile.IsStandardInput(path))
            throw new ArgumentException("--checkpoint -: checkpoints are not read from standard input; name a file.");
        var standard = ImageNormalisation.ImageNet;
        return new ModelRequest
        {
            Model = kind,
            Checkpoint = path,
            Prefix = result.GetValue(prefix) ?? string.Empty,
            ElementType = CommonOptions.Parse(result.GetRequiredValue(type)),
            Size = result.GetValue(size),
            GuideSize = result.GetValue(guideSize),
            // The value of an array that was not given is an empty one.
            Normalisation = new ImageNormalisation(
                result.GetValue(mean) is { Length: > 0 } means ? means : standard.Mean,
                result.GetValue(deviation) is { Length: > 0 } deviations ? deviations : standard.Deviation),
            Heads = result.GetValue(heads),
            Window = window,
            WindowRatio = result.GetValue(windowRatio),
            NormGroups = result.GetValue(normGroups),
            Epsilon = result.GetValue(epsilon),
        };
    }

    private static bool WasGiven(ParseResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private static string Text(IReadOnlyList<double> numbers) =>
        string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)));

    private static Option<int?> Count(string name, string description)
    {
        var option = NumberOption.Count(name);
        option.Description = description;
        return option;
    }

    private static Option<double[]?> Triple(string name, string requirement, Predicate<double> isAllowed) => new(name)
    {
        HelpName = "r,g,b",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            var numbers = new List<double>();
            foreach (string part in text.Split(','))
            {
                if (NumberOption.TryParse(part, out double number) && isAllowed(number))
                    numbers.Add(number);
            }
            if (numbers.Count == text.Split(',').Length && numbers.Count is 1 or Photo.Channels)
                return numbers.Count == 1 ? [numbers[0], numbers[0], numbers[0]] : [.. numbers];
            result.AddError($"{name} {text}: {requirement}");
            return null;
        },
    };
}
