using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Batch;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Commands;

/// <summary>The options of <c>sapagpu upsample</c>, and the request that they make.</summary>
internal sealed class UpsampleOptions
{
    private static readonly Dictionary<string, UpsampleMethod> MethodNames =
        Enum.GetValues<UpsampleMethod>().ToDictionary(NameOf);

    private static readonly Dictionary<string, MapKind> KindNames =
        Enum.GetValues<MapKind>().ToDictionary(kind => kind.ToString().ToLowerInvariant());

    private static readonly Dictionary<string, ArrayLayout> LayoutNames = new()
    {
        ["chw"] = ArrayLayout.ChannelsFirst,
        ["hwc"] = ArrayLayout.ChannelsLast,
    };

    private static readonly Dictionary<string, Letterbox> LetterboxNames = new()
    {
        ["top-left"] = Letterbox.TopLeft,
        ["center"] = Letterbox.Center,
    };

    private static readonly string WindowRequirement = string.Create(
        CultureInfo.InvariantCulture,
        $"the width must be an odd number from 1 to {OperatorSupport.MaximumWindow}, with --model naf any whole number from 1 on.");

    private readonly ModelOptions model = new();

    private readonly Option<string[]> guide = new("--guide", "-g")
    {
        Description = $"The photo: {ImageSource.Formats}; - is standard input; or many: several files, a folder, a " +
            "pattern such as photos/*.jpg, or numbered frames such as frames/%04d.png. It is converted to sRGB by its " +
            "colour profile and rotated by its EXIF orientation; alpha is ignored. Floating-point samples of at " +
            "most 1 have 1 for white.",
        HelpName = "file",
        Required = true,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string[]> input = new("--input", "-i")
    {
        Description = "The small map: an image of one page in a format that --guide has, grey or RGB with or " +
            "without alpha, whose samples are whole or real numbers, or a NumPy array, [C, H, W], [H, W, C] or " +
            "[H, W], in a .npy file or alone in a .npz file; - is standard input; or many, as --guide. Each has the " +
            "photo of its name without the extension; of frames with numbers, that of its number.",
        HelpName = "file",
        Required = true,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string> output = new("--output", "-o")
    {
        Description = "The result, as large as the photo, with the sample type, channels and palette of the " +
            "input as far as the format allows: .png, .tif, .webp (lossless), .jpg, or .npy for an array; - is " +
            "standard output. It must not be the photo or the truth. Of many maps, a folder, or a name with * for the " +
            "name of the map or %04d for its number.",
        HelpName = "file",
        Required = true,
    };

    private readonly Option<string> method = new("--method")
    {
        Description = "The upsampling method.",
        DefaultValueFactory = _ => "sapa",
    };

    private readonly Option<int?> window = NumberOption.One<int>(
        "--window",
        WindowRequirement,
        cells => cells is >= 1 and <= int.MaxValue && cells % 1 == 0 ? (int)cells : null);

    private readonly Option<double?> colourSigma = Sigma(
        "--sigma-color",
        "The standard deviation of the weights over colours, of which every channel has a range of about 1: L*, a* and " +
        "b* of masks, labels, depth and images, red, green and blue of features and logits. " +
        DefaultsText(settings => settings.ColourSigma));

    private readonly Option<double?> spaceSigma = Sigma(
        "--sigma-space",
        "The standard deviation of the weights over distance, in cells of the small map. " +
        DefaultsText(settings => settings.SpaceSigma));

    private readonly Option<bool> labels = new("--labels")
    {
        Description = "Treat the values as classes: grey values, palette indices or colours. Every pixel gets " +
            "one of the values of the input, never a mixture.",
    };

    private readonly Option<string?> kind = new("--kind")
    {
        Description = "What the map is, where it is not what it looks like; labels is the same as --labels. Logits are " +
            "an array with the score of every class in a channel of its own, or one score of an object.",
    };

    private readonly Option<bool> argmax = new("--argmax")
    {
        Description = "Of logits, write the number of the likeliest class of every pixel, as an image or as .npy, " +
            "and not the probabilities; of one channel, 1 for the object and 0 for all else. Implies --kind logits.",
    };

    private readonly Option<bool> probabilities = new("--probabilities")
    {
        Description = "The channels of the logits hold probabilities already, and no softmax or sigmoid makes them. This " +
            "is also found out where they add up to 1, and for one channel from 0 to 1. Implies --kind logits.",
    };

    private readonly Option<double?> threshold = NumberOption.One<double>(
        "--threshold",
        "the threshold must be a number between 0 and 1.",
        share => share is > 0 and < 1 ? share : null);

    private readonly Option<double[]> unknown = NumberOption.Many("--unknown");

    private readonly Option<bool> fill = new("--fill")
    {
        Description = "Fill the holes of depth, cells that --unknown marks or that are not finite, from cells around them " +
            "of similar colour, from their edges inwards. Implies --kind depth.",
    };

    private readonly Option<bool> noRefine = new("--no-refine")
    {
        Description = "The means of the kernel and nothing more: masks and labels do not follow the photo by a guided filter, " +
            "and depth and images do not continue along slopes. Colours are then compared as red, green and blue.",
    };

    private readonly Option<Region?> crop = new("--crop")
    {
        Description = "The part of the photo that the map covers, in pixels of the upright photo. The result has the size " +
            "of the part.",
        HelpName = "x,y,w,h",
        CustomParser = ParseRegion,
    };

    private readonly Option<string?> letterbox = new("--letterbox")
    {
        Description = "The map was made of the photo padded to other proportions, such as a square: cut off the padding. " +
            "The photo is at the top left (the default, as SAM does) or in the center.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> layout = new("--layout")
    {
        Description = "The order of the dimensions of a .npy array with three of them. Default: the one whose " +
            "aspect ratio is closer to that of the photo.",
    };

    private readonly Option<string?> device = CommonOptions.Device();

    private readonly Option<string?> figure = new("--compare")
    {
        Description = "Write an image that shows the photo, the input and the results of all methods side by side; of " +
            "many maps, a folder or a pattern as of --output.",
        HelpName = "file",
    };

    private readonly Option<string[]> truth = new("--truth")
    {
        Description = "The true map at full size, or those of many maps, as --guide: print how close nearest, bilinear " +
            "and SAPA come to it.",
        HelpName = "file",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> resume = new("--resume")
    {
        Description = "Leave out maps whose results are there. A result appears only when it is complete.",
    };

    private readonly Option<bool> json = CommonOptions.Json();

    private readonly Option<bool> quiet = new("--quiet", "-q")
    {
        Description = "Print nothing but warnings and errors, and show no progress.",
    };

    /// <summary>Completes the options.</summary>
    public UpsampleOptions()
    {
        method.AcceptOnlyFromAmong([.. MethodNames.Keys]);
        window.Description = $"The width of the window in cells, odd, from 1 to {OperatorSupport.MaximumWindow}. " +
            DefaultsText(settings => settings.Window) + " With --model naf the width of its window, any from 1 on; default: 9.";
        window.HelpName = "cells";
        kind.AcceptOnlyFromAmong([.. KindNames.Keys]);
        kind.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && name != "labels" && result.GetValue(labels))
                result.AddError($"--kind {name}: --labels says that the map is one of labels; give one of the two.");
        });
        threshold.Description = "Decide which pixels belong to the object of a mask, those from this share of the range " +
            "on, such as 0.5; they get the largest value, others the smallest. Implies --kind mask.";
        threshold.HelpName = "share";
        unknown.Description = "The value that marks missing values, such as 0, nan, inf or -inf; give the option " +
            "again for each further mark. They are left out of all averages; a pixel gets the first mark where " +
            "missing cells have more than half of the weight. Of logits, the number of a class that does not spread.";
        unknown.HelpName = "value";
        letterbox.AcceptOnlyFromAmong([.. LetterboxNames.Keys]);
        layout.AcceptOnlyFromAmong([.. LayoutNames.Keys]);
    }

    /// <summary>The name of a method on the command line and in reports.</summary>
    public static string NameOf(UpsampleMethod method) => method.ToString().ToLowerInvariant();

    /// <summary>All options in the order of the help.</summary>
    public IReadOnlyList<Option> All =>
    [
        guide, input, output, method, .. model.All, noRefine, window, colourSigma, spaceSigma, labels, kind, argmax, probabilities, threshold,
        unknown, fill, crop, letterbox, layout, device, figure, truth, resume,
        json, quiet,
    ];

    /// <summary>The options that mean nothing to a trained model.</summary>
    private IReadOnlyList<Option> OfMethods =>
    [
        method, noRefine, colourSigma, spaceSigma, labels, argmax, probabilities, threshold, unknown, fill, truth,
    ];

    /// <summary>The request of a command line.</summary>
    public UpsampleArguments Read(ParseResult result) => new()
    {
        Template = ReadTemplate(result),
        Guides = result.GetRequiredValue(guide),
        Inputs = result.GetRequiredValue(input),
        Truths = result.GetValue(truth) ?? [],
        Output = result.GetRequiredValue(output),
        Figure = result.GetValue(figure),
        Resume = result.GetValue(resume),
        Json = result.GetValue(json),
        Quiet = result.GetValue(quiet),
    };

    private UpsampleRequest ReadTemplate(ParseResult result) => new()
    {
        Guide = result.GetRequiredValue(guide)[0],
        Input = result.GetRequiredValue(input)[0],
        Output = result.GetRequiredValue(output),
        Method = MethodNames[result.GetRequiredValue(method)],
        Refine = !result.GetValue(noRefine),
        Window = ReadWindow(result),
        ColourSigma = result.GetValue(colourSigma),
        SpaceSigma = result.GetValue(spaceSigma),
        Kind = result.GetValue(labels) ? MapKind.Labels
            : result.GetValue(kind) is { } kindName ? KindNames[kindName]
            : null,
        Argmax = result.GetValue(argmax),
        AreProbabilities = result.GetValue(probabilities),
        Threshold = result.GetValue(threshold),
        Unknown = result.GetValue(unknown) ?? [],
        Fill = result.GetValue(fill),
        Crop = result.GetValue(crop),
        Letterbox = result.GetResult(letterbox) is null or { Implicit: true } ? null
            : result.GetValue(letterbox) is { } place ? LetterboxNames[place]
            : Letterbox.TopLeft,
        Layout = result.GetValue(layout) is { } name ? LayoutNames[name] : null,
        Device = result.GetValue(device),
        Model = model.Read(result, result.GetValue(window), OfMethods),
        Figure = result.GetValue(figure),
        Truth = result.GetValue(truth)?.FirstOrDefault(),
    };

    // Wider and even windows are NAF's; AnyUp has none, and says so itself.
    private int? ReadWindow(ParseResult result)
    {
        int? cells = result.GetValue(window);
        return model.IsGiven(result) || cells is null || (cells <= OperatorSupport.MaximumWindow && cells % 2 == 1)
            ? cells
            : throw new ArgumentException($"--window {cells}: {WindowRequirement}");
    }

    private static Option<double?> Sigma(string name, string description)
    {
        var option = NumberOption.One<double>(
            name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"the standard deviation must be a number from {GuidedOptions.SmallestSigma} to {GuidedOptions.LargestSigma}."),
            sigma => GuidedOptions.IsSigma(sigma) ? sigma : null);
        option.Description = description;
        option.HelpName = "number";
        return option;
    }

    private static string DefaultsText(Func<KernelSettings, IFormattable> number)
    {
        var texts = KindNames.Select(pair =>
            $"{pair.Key} " + number(KernelDefaults.For(pair.Value)).ToString(null, CultureInfo.InvariantCulture));
        return $"Default: {string.Join(", ", texts)}.";
    }

    private static Region? ParseRegion(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        var parts = text.Split(',');
        var numbers = new int[4];
        bool areNumbers = parts.Length == numbers.Length;
        for (int i = 0; areNumbers && i < numbers.Length; i++)
            areNumbers = int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]);
        long end = Math.Max((long)numbers[0] + numbers[2], (long)numbers[1] + numbers[3]);
        if (areNumbers && numbers[2] > 0 && numbers[3] > 0 && end <= int.MaxValue)
            return new Region(numbers[1], numbers[0], numbers[3], numbers[2]);
        result.AddError(
            $"--crop {text}: write x,y,width,height as four whole numbers, as in 0,80,640,320, the sizes above 0.");
        return null;
    }
}
