using System.Diagnostics;
using System.Globalization;

namespace SapaGpu.Fuzz.Running;

/// <summary>
/// A campaign in a child process. A crash of the child is a failure of the case that it was at, after which another child
/// goes on.
/// </summary>
internal static class IsolatedRun
{
    private const int MostCrashes = 10;

    public static int Failures(CampaignSettings settings, TextWriter output)
    {
        using var folder = new TemporaryFolder();
        var watch = Stopwatch.StartNew();
        int failures = 0;
        for (int crash = 0; crash < MostCrashes; crash++)
        {
            string path = folder[$"progress-{crash}"];
            using (var empty = Progress.Open(path))
                empty.Begin(Progress.NotBegun, 0, 0, 0);
            using var child = OwnProcess.Start(Arguments(settings, watch.Elapsed.TotalSeconds), redirects: false, path);
            child.WaitForExit();
            using var progress = Progress.Open(path);
            var (number, problems, _, childFailures) = progress.Read();
            failures += childFailures;
            if (number == Progress.Ended)
                return failures;
            failures++;
            if (number == Progress.NotBegun)
            {
                output.WriteLine($"The campaign did not begin (exit code {child.ExitCode}).");
                return failures;
            }
            if (child.ExitCode != ExitCodes.Hang)
                output.WriteLine($"CRASHED (exit code {child.ExitCode}): {settings.Reproduce(number)}");
            settings = settings with { First = number + 1, Cases = Math.Max(0, settings.Cases - problems - 1) };
            if (settings.Cases == 0 || watch.Elapsed.TotalSeconds >= settings.Seconds)
                return failures;
        }
        return failures;
    }

    private static IEnumerable<string> Arguments(CampaignSettings settings, double spent) =>
    [
        settings.Campaign,
        "--device", settings.Device,
        "--seed", settings.Seed.ToString(CultureInfo.InvariantCulture),
        "--seconds", Math.Max(0, settings.Seconds - spent).ToString(CultureInfo.InvariantCulture),
        "--first", settings.First.ToString(CultureInfo.InvariantCulture),
        "--cases", settings.Cases.ToString(CultureInfo.InvariantCulture),
    ];
}
