using System.CommandLine;
using System.Globalization;
using SapaGpu.Cli.Guided;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu upsample</c>: brings a small map to the size of a photo, guided by it.</summary>
internal static class UpsampleCommand
{
    private static readonly Dictionary<string, UpsampleMethod> MethodNames =
        Enum.GetValues<UpsampleMethod>().ToDictionary(method => method.ToString().ToLowerInvariant());

    private static readonly Dictionary<string, ArrayLayout> LayoutNames = new()
    {
        ["chw"] = ArrayLayout.ChannelsFirst,
        ["hwc"] = ArrayLayout.ChannelsLast,
    };

    public static Command Create()
    {
        var guide = new Option<string>("--guide")
        {
            Description = "The photo, in any format and colour space. It is turned upright by its EXIF orientation; " +
                "its alpha is ignored.",
            HelpName = "file",
            Required = true,
        };
        var input = new Option<string>("--input")
        {
            Description = "The small map: an image of 8 or 16 bits and 1 to 4 channels, or features as .npy, " +
                "[C, H, W], [H, W, C] or [H, W].",
            HelpName = "file",
            Required = true,
        };
        var output = new Option<string>("--output")
        {
            Description = "The result, as large as the photo, with the depth, channels and palette of the input: " +
                ".png, .tif, .webp (without loss), .jpg, or .npy for .npy.",
            HelpName = "file",
            Required = true,
        };
        var method = new Option<string>("--method")
        {
            Description = "How to upsample.",
            DefaultValueFactory = _ => "sapa",
        };
        method.AcceptOnlyFromAmong([.. MethodNames.Keys]);
        var window = new Option<int?>("--window")
        {
            Description = $"Cells across the window, odd, 1 to {OperatorSupport.MaximumWindow}. " +
                DefaultsText(settings => settings.Window),
            HelpName = "cells",
        };
        window.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is { } cells
                && (cells % 2 == 0 || cells is < 1 or > OperatorSupport.MaximumWindow))
            {
                result.AddError(
                    $"--window {cells}: the window is an odd number from 1 to {OperatorSupport.MaximumWindow}.");
            }
        });
        var colourSigma = Sigma(
            "--sigma-color",
            "How much colours may differ, per channel of sRGB, where a channel goes from 0 to 1. " +
            DefaultsText(settings => settings.ColourSigma));
        var spaceSigma = Sigma(
            "--sigma-space",
            "How far cells count, in cells of the small map. " + DefaultsText(settings => settings.SpaceSigma));
        var labels = new Option<bool>("--labels")
        {
            Description = "The values are classes: grey values, palette indices or colours. Every pixel gets one of " +
                "them.",
        };
        var unknown = new Option<float?>("--unknown")
        {
            Description = "The value that marks missing ones, such as 0 or NaN. They neither spread nor are they " +
                "filled in: a pixel stays unknown where unknown cells have more than half of the weight.",
            HelpName = "value",
        };
        var layout = new Option<string?>("--layout")
        {
            Description = "The order of the dimensions of a .npy with three. Default: the one whose proportions are " +
                "nearer to the photo's.",
        };
        layout.AcceptOnlyFromAmong([.. LayoutNames.Keys]);
        var device = CommonOptions.Device();
        var figure = new Option<string?>("--compare")
        {
            Description = "Draw the photo, the input and the results of all methods side by side into this image.",
            HelpName = "file",
        };
        var truth = new Option<string?>("--truth")
        {
            Description = "The map at full size: print how far nearest, bilinear and SAPA are from it.",
            HelpName = "file",
        };
        var command = new Command(
            "upsample",
            "Bring a small mask, label map, depth map, image or feature map to the size of a photo, guided by it. No " +
            "trained weights: window attention over colour and position, which is a joint bilateral filter. The " +
            "defaults depend on what the map is: labels with --labels, depth with --unknown, a mask if it has one " +
            "channel of two values, else an image.")
        {
            guide, input, output, method, window, colourSigma, spaceSigma, labels, unknown, layout, device, figure,
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
                Labels = result.GetValue(labels),
                Unknown = result.GetValue(unknown),
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
        var option = new Option<double?>(name) { Description = description, HelpName = "number" };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is { } sigma && !(sigma > 0 && double.IsFinite(sigma)))
                result.AddError($"{name} {sigma}: the spread is a number above 0.");
        });
        return option;
    }

    private static string DefaultsText(Func<KernelSettings, IFormattable> number)
    {
        var texts = Enum.GetValues<MapKind>().Select(kind =>
            $"{kind.ToString().ToLowerInvariant()} " +
            number(KernelDefaults.For(kind)).ToString(null, CultureInfo.InvariantCulture));
        return $"Default: {string.Join(", ", texts)}.";
    }

    private static int Run(UpsampleRequest request, CancellationToken cancellation)
    {
        try
        {
            using var job = new UpsampleJob(request);
            var results = ShowProgress(job, progress => job.Run(progress, cancellation));
            Console.Out.WriteLine(job.Summary);
            if (job.Figures.Count > 0)
                Print(job, results);
            return ExitCode.Success;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"{request.Output}: cancelled; nothing was written.");
            return ExitCode.Failure;
        }
    }

    /// <summary>Shows bars on standard error while something runs, if a person is looking.</summary>
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

    private static void Print(UpsampleJob job, IReadOnlyList<MethodResult> results)
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
        AnsiConsole.Write(table);
    }
}
