using System.Diagnostics;

namespace SapaGpu.Fuzz.Running;

/// <summary>Runs the cases of a campaign one by one, and says of each that fails how to run it again.</summary>
/// <param name="settings">What to run.</param>
/// <param name="output">Where failures and the last line go.</param>
/// <param name="onHang">What to do when a case does not end; it has been reported.</param>
internal sealed class CampaignRunner(CampaignSettings settings, TextWriter output, Action onHang)
{
    private const int MostFailures = 10;
    private const int StackLines = 12;

    private Case? current;
    private long started;

    public Tally Run(Campaign campaign)
    {
        var watch = Stopwatch.StartNew();
        long problems = 0, calls = 0;
        int failures = 0;
        using var progress = Progress.Open();
        using var timer = new Timer(_ => CheckHang(campaign.Patience), null, 1000, 1000);
        long last = settings.Cases > long.MaxValue - settings.First ? long.MaxValue : settings.First + settings.Cases;
        for (long number = settings.First; number < last && failures < MostFailures; number++)
        {
            if (problems > 0 && watch.Elapsed.TotalSeconds >= settings.Seconds)
                break;
            var problem = new Case(settings.Seed, number, campaign.CasesPerKernel);
            progress.Begin(number, problems, calls, failures);
            Volatile.Write(ref started, Stopwatch.GetTimestamp());
            current = problem;
            failures += Try(() => campaign.Run(problem), problem);
            current = null;
            problems++;
            calls += problem.Calls;
        }
        var end = new Case(settings.Seed, settings.First + Math.Max(problems, 1) - 1, campaign.CasesPerKernel);
        failures += Try(() => campaign.End(end), end);
        progress.Begin(Progress.Ended, problems, calls, failures);
        var tally = new Tally(problems, calls, failures, watch.Elapsed.TotalSeconds);
        output.WriteLine(tally.Describe(settings.Campaign));
        return tally;
    }

    private int Try(Action action, Case problem)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception e)
        {
            Report("FAILED", problem, e is FuzzFailureException ? e.Message : Shorten(e));
            return 1;
        }
    }

    private void CheckHang(TimeSpan patience)
    {
        if (current is not { } problem || Stopwatch.GetElapsedTime(Volatile.Read(ref started)) < patience)
            return;
        current = null;
        Report("HANGS", problem, $"did not end within {patience.TotalSeconds} s");
        onHang();
    }

    private void Report(string verdict, Case problem, string text)
    {
        lock (output)
        {
            output.WriteLine($"{verdict}: {settings.Reproduce(problem.Number)}");
            foreach (string line in $"{problem.Description}{Environment.NewLine}{text}".Split('\n'))
                output.WriteLine($"    {line.TrimEnd()}");
            output.Flush();
        }
    }

    private static string Shorten(Exception e) => string.Join('\n', e.ToString().Split('\n').Take(StackLines));
}
