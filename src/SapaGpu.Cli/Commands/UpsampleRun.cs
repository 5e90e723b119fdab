using System.Diagnostics;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Batch;
using SapaGpu.Cli.Guided.Models;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Commands;

/// <summary>Runs the jobs of a command line one after another on one device.</summary>
internal sealed class UpsampleRun(UpsampleArguments arguments, CancellationToken cancellation)
{
    private readonly UpsampleReport report = new();
    private readonly List<string> lines = [];
    private bool showsProgress;

    /// <summary>Runs all jobs and prints the report.</summary>
    /// <returns>The exit code.</returns>
    public int Run()
    {
        var watch = Stopwatch.StartNew();
        OptionChecks.Check(arguments.Template);
        var batch = new UpsampleBatch(arguments);
        if (arguments.Json && !batch.IsMany && OutputFile.IsStandardOutput(arguments.Output))
            throw new ArgumentException("--json and --output -: both are written to standard output; name a file for the result.");
        if (!batch.IsMany && batch.Unmatched.Count > 0)
            throw new InvalidDataException(batch.Unmatched[0].Error);
        batch.MakeFolders();
        report.Failures.AddRange(batch.Unmatched);
        if (batch.Warning is { } warning)
            Warn(warning);
        report.Skipped.AddRange(batch.Requests.Where(IsDone).Select(request => request.Output));
        List<UpsampleRequest> requests = [.. batch.Requests.Where(request => !IsDone(request))];
        using var device = new SharedDevice(arguments.Template.Device);
        using var model = arguments.Template.Model is { } wanted ? new SharedModel(wanted, device) : null;
        if (batch.IsMany && requests.Any(request => request.NeedsDevice))
        {
            device.Open();
            model?.Load();
        }
        bool isCancelled = false;
        try
        {
            ShowProgress(requests, advance =>
            {
                for (int i = 0; i < requests.Count && !isCancelled; i++)
                    isCancelled = !RunOne(requests, i, batch.IsMany, device, model, advance);
            });
        }
        finally
        {
            foreach (string line in lines)
                Terminal.WriteError(line);
        }
        report.Device = device.Id;
        report.Seconds = watch.Elapsed.TotalSeconds;
        if (!isCancelled || batch.IsMany)
            Print(batch);
        return isCancelled || report.Failures.Count > 0 ? ExitCode.Failure : ExitCode.Success;
    }

    private bool IsDone(UpsampleRequest request) => arguments.Resume
        && !OutputFile.IsStream(request.Output) && File.Exists(request.Output)
        && (request.Figure is null || File.Exists(request.Figure));

    /// <summary>Runs one job; false if it was cancelled.</summary>
    private bool RunOne(
        List<UpsampleRequest> requests,
        int index,
        bool isMany,
        SharedDevice device,
        SharedModel? model,
        Action<int, string, double> advance)
    {
        var request = requests[index];
        string name = Path.GetFileName(request.Input);
        advance(index, name, 0);
        try
        {
            string summary = model is null
                ? Run(request, device, share => advance(index, name, share))
                : Run(request, model, share => advance(index, name, share));
            if (!isMany)
                report.Summary = summary;
            return true;
        }
        catch (OperationCanceledException)
        {
            WriteError(isMany
                ? $"{request.Output}: cancelled; {requests.Count - index} of {requests.Count} results were not written. " +
                  "--resume goes on."
                : $"{request.Output}: cancelled; nothing was written.");
            return false;
        }
        catch (Exception e) when (isMany && e is not DeviceUnavailableException)
        {
            string error = ErrorText.Of(e);
            string prefix = error.Contains(request.Input, StringComparison.Ordinal) ? string.Empty : $"{request.Input}: ";
            report.Failures.Add(new UpsampleFailure(request.Input, prefix + error));
            return true;
        }
    }

    private string Run(UpsampleRequest request, SharedDevice device, Action<double> advance)
    {
        using var job = new UpsampleJob(request, device);
        foreach (string warning in job.Warnings)
            Warn(warning);
        var places = job.Methods.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        var results = job.Run((method, share) => advance((places[method] + share) / places.Count), cancellation);
        report.Results.Add(UpsampleResult.Of(request, job, results));
        report.Figures.Add(job.Figures);
        return job.Summary;
    }

    private string Run(UpsampleRequest request, SharedModel model, Action<double> advance)
    {
        using var job = new ModelJob(request, model);
        foreach (string warning in job.Warnings)
            Warn(warning);
        job.Run(advance, cancellation);
        report.Results.Add(UpsampleResult.Of(request, job));
        report.Figures.Add([]);
        return job.Summary;
    }

    private void Warn(string warning) => WriteError($"Warning: {warning}");

    /// <summary>Writes a line to standard error, after the progress bar where there is one.</summary>
    private void WriteError(string line)
    {
        if (showsProgress)
            lines.Add(line);
        else
            Terminal.WriteError(line);
    }

    private void ShowProgress(List<UpsampleRequest> requests, Action<Action<int, string, double>> run)
    {
        bool isWanted = !arguments.Quiet && requests.Count > 0;
        showsProgress = isWanted && Terminal.CanShowProgress;
        Terminal.ShowProgress(requests.Count, isWanted, advance => run((index, name, share) =>
            advance(requests.Count > 1 ? $"{index + 1}/{requests.Count} {name}" : name, index + share)));
        showsProgress = false;
    }

    private void Print(UpsampleBatch batch)
    {
        var writer = !batch.IsMany && OutputFile.IsStandardOutput(arguments.Output) ? Console.Error : Console.Out;
        if (arguments.Json)
            Console.Out.WriteLine(report.ToJson());
        else if (!arguments.Quiet)
            report.Print(writer, batch.IsMany);
        if (!batch.IsMany || report.Failures.Count == 0)
            return;
        Terminal.WriteError(
            $"{report.Failures.Count} of {batch.Requests.Count + batch.Unmatched.Count} maps failed:");
        foreach (var failure in report.Failures)
            Terminal.WriteError($"  {failure.Error}");
    }
}
