using System.CommandLine;
using System.Globalization;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Images;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu upsample</c>: upsamples a small map to the size of a photo, guided by the photo.</summary>
internal static class UpsampleCommand
{
    private static readonly Dictionary<string, UpsampleMethod> MethodNames =
        Enum.GetValues<UpsampleMethod>().ToDictionary(method => method.ToString().ToLowerInvariant());

    private static readonly Dictionary<string, MapKind> KindNames = new[]
    {
        MapKind.Mask, MapKind.Labels, MapKind.Depth, MapKind.Image, MapKind.Features,
    }.ToDictionary(kind => kind.ToString().ToLowerInvariant());

    private static readonly Dictionary<string, ArrayLayout> LayoutNames = new()
    {
        ["chw"] = ArrayLayout.ChannelsFirst,
        ["hwc"] = ArrayLayout.ChannelsLast,
    };

    public static Command Create()
    {
        var guide = new Option<string>("--guide")
        {
            Description = $"The photo: {ImageSource.Formats}; - is standard input. It is converted to sRGB by its " +
                "colour profile and rotated by its EXIF orientation; alpha is ignored. Floating-point samples of at " +
                "most 1 have 1 for white.",
            HelpName = "file",
            Required = true,
        };
        var input = new Option<string>("--input")
        {
            Description = "The small map: an image of one page in a format that --guide has, grey or RGB with or " +
                "without alpha, whose samples are whole or real numbers, or a NumPy array, [C, H, W], [H, W, C] or " +
                "[H, W], in a .npy file or alone in a .npz file; - is standard input.",
            HelpName = "file",
            Required = true,
        };
        var output = new Option<string>("--output")
        {
            Description = "The result, as large as the photo, with the sample type, channels and palette of the " +
                "input as far as the format allows: .png, .tif, .webp (lossless), .jpg, or .npy for an array; - is " +
                "standard output. It must not be the photo or the truth.",
            HelpName = "file",
            Required = true,
        };
        var method = new Option<string>("--method")
        {
            Description = "The upsampling method.",
            DefaultValueFactory = _ => "sapa",
        };
        method.AcceptOnlyFromAmong([.. MethodNames.Keys]);
        var window = NumberOption.One<int>(
            "--window",
            $"the width must be an odd number from 1 to {OperatorSupport.MaximumWindow}.",
            cells => cells is >= 1 and <= OperatorSupport.MaximumWindow && cells % 2 == 1 ? (int)cells : null);
        window.Description = $"The width of the window in cells, odd, from 1 to {OperatorSupport.MaximumWindow}. " +
            DefaultsText(settings => settings.Window);
        window.HelpName = "cells";
        var colourSigma = Sigma(
            "--sigma-color",
            "The standard deviation of the weights over colours, per sRGB channel, which ranges from 0 to 1. " +
            DefaultsText(settings => settings.ColourSigma));
        var spaceSigma = Sigma(
            "--sigma-space",
            "The standard deviation of the weights over distance, in cells of the small map. " +
            DefaultsText(settings => settings.SpaceSigma));
        var labels = new Option<bool>("--labels")
        {
            Description = "Treat the values as classes: grey values, palette indices or colours. Every pixel gets " +
                "one of the values of the input, never a mixture.",
        };
        var kind = new Option<string?>("--kind")
        {
            Description = "What the map is, where it is not what it looks like; labels is the same as --labels.",
        };
        kind.AcceptOnlyFromAmong([.. KindNames.Keys]);
        kind.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && name != "labels" && result.GetValue(labels))
                result.AddError($"--kind {name}: --labels says that the map is one of labels; give one of the two.");
        });
        var unknown = NumberOption.Many("--unknown");
        unknown.Description = "The value that marks missing values, such as 0, nan, inf or -inf; give the option " +
            "again for each further mark. They are left out of all averages; a pixel gets the first mark where " +
            "missing cells have more than half of the weight.";
        unknown.HelpName = "value";
        var layout = new Option<string?>("--layout")
        {
            Description = "The order of the dimensions of a .npy array with three of them. Default: the one whose " +
                "aspect ratio is closer to that of the photo.",
        };
        layout.AcceptOnlyFromAmong([.. LayoutNames.Keys]);
        var device = CommonOptions.Device();
        var figure = new Option<string?>("--compare")
        {
            Description = "Write an image that shows the photo, the input and the results of all methods side by side.",
            HelpName = "file",
        };
        var truth = new Option<string?>("--truth")
        {
            Description = "The true map at full size: print how close nearest, bilinear and SAPA come to it.",
            HelpName = "file",
        };
        var command = new Command(
            "upsample",
            "Upsample a small mask, label map, depth map, image or feature map to the size of a photo, guided by the " +
            "photo. There are no trained weights: window attention over colour and position is a joint bilateral " +
            "filter. The defaults depend on the kind of map: labels with --labels, depth with --unknown, a mask if " +
            "it has two values, in one channel or in all alike, otherwise an image; --kind says something else.")
        {
            guide, input, output, method, window, colourSigma, spaceSigma, labels, kind, unknown, layout, device, figure,
            truth,
        };
        command.SetAction((result, cancellation) =>
        {
            var request = new UpsampleRequest
            {
                Guide = result.GetRequiredValue(guide),
                Input = result.GetRequiredValue(input),
                Output = result.GetRequiredValue(output),
                Method = MethodNames[result.GetRequiredValue(method)],
                Window = result.GetValue(window),
                ColourSigma = result.GetValue(colourSigma),
                SpaceSigma = result.GetValue(spaceSigma),
                Kind = result.GetValue(labels) ? MapKind.Labels
                    : result.GetValue(kind) is { } kindName ? KindNames[kindName]
                    : null,
                Unknown = result.GetValue(unknown) ?? [],
                Layout = result.GetValue(layout) is { } name ? LayoutNames[name] : null,
                Device = result.GetValue(device),
                Figure = result.GetValue(figure),
                Truth = result.GetValue(truth),
            };
            return Task.Run(() => Run(request, cancellation), CancellationToken.None);
        });
        return command;
    }

    private static Option<double?> Sigma(string name, string description)
    {
        var option = NumberOption.One<double>(
            name,
            FormattableString.Invariant(
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

    private static int Run(UpsampleRequest request, CancellationToken cancellation)
    {
        try
        {
            using var job = new UpsampleJob(request);
            foreach (string warning in job.Warnings)
                Console.Error.WriteLine($"Warning: {warning}");
            var results = ShowProgress(job, progress => job.Run(progress, cancellation));
            var report = job.WritesToStandardOutput ? Console.Error : Console.Out;
            report.WriteLine(job.Summary);
            if (job.Figures.Count > 0)
                Print(job, results, report);
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"{request.Output}: cancelled; nothing was written.");
            return ExitCode.Failure;
        }
    }

    /// <summary>Shows progress bars on standard error while something runs, unless it is redirected.</summary>
    private static T ShowProgress<T>(UpsampleJob job, Func<Action<UpsampleMethod, double>, T> run)
    {
        if (Console.IsErrorRedirected)
            return run((_, _) => { });
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).Start(context =>
        {
            var tasks = job.Methods.ToDictionary(
                method => method, method => context.AddTask(method.Title(), maxValue: 1));
            return run((method, share) => tasks[method].Value = share);
        });
    }

    private static void Print(UpsampleJob job, IReadOnlyList<MethodResult> results, TextWriter report)
    {
        var table = new Table().AddColumn("Method");
        foreach (var figure in job.Figures)
            table.AddColumn(new TableColumn(Markup.Escape(figure.Name)).RightAligned());
        foreach (var result in results)
        {
            table.AddRow(
            [
                result.Method.Title(),
                .. job.Figures.Zip(result.Quality, (figure, value) => figure.Write(value)),
            ]);
        }
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(report) }).Write(table);
    }
}
