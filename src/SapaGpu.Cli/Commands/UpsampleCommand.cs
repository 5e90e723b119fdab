using System.CommandLine;
using SapaGpu.Cli.Guided;
using Spectre.Console;

namespace SapaGpu.Cli.Commands;

/// <summary><c>sapagpu upsample</c>: upsamples a small map to the size of a photo, guided by the photo.</summary>
internal static class UpsampleCommand
{
    public static Command Create()
    {
        var options = new UpsampleOptions();
        var command = new Command(
            "upsample",
            "Upsample a small mask, label map, depth map, image, feature map or the scores of a network to the size of a " +
            "photo, guided by the photo. There are no trained weights: window attention over colour and position is a " +
            "joint bilateral filter. The defaults depend on the kind of map: labels with --labels, depth with --unknown, " +
            "a mask if it has two values, in one channel or in all alike, otherwise an image; --kind says something else.");
        foreach (var option in options.All)
            command.Options.Add(option);
        command.SetAction((result, cancellation) =>
        {
            var request = options.Read(result);
            return Task.Run(() => Run(request, cancellation), CancellationToken.None);
        });
        return command;
    }

    private static int Run(UpsampleRequest request, CancellationToken cancellation)
    {
        try
        {
            using var device = new SharedDevice(request.Device);
            using var job = new UpsampleJob(request, device);
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
