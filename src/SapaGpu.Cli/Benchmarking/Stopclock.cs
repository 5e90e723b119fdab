using System.Diagnostics;

namespace SapaGpu.Cli.Benchmarking;

/// <summary>Times an action by the clock, after a warm-up.</summary>
internal static class Stopclock
{
    private const int FewestCalls = 3;

    /// <summary>The seconds of every call within a duration, at least three.</summary>
    public static List<double> Measure(Action action, TimeSpan warmUp, TimeSpan duration)
    {
        var seconds = new List<double>();
        long begin = Stopwatch.GetTimestamp();
        do
        {
            action();
        }
        while (Stopwatch.GetElapsedTime(begin) < warmUp);
        begin = Stopwatch.GetTimestamp();
        while (seconds.Count < FewestCalls || Stopwatch.GetElapsedTime(begin) < duration)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return seconds;
    }

    /// <summary>The middle of a series.</summary>
    public static double Median(this IReadOnlyCollection<double> seconds)
    {
        var ordered = seconds.Order().ToArray();
        int middle = ordered.Length / 2;
        return ordered.Length % 2 == 1 ? ordered[middle] : 0.5 * (ordered[middle - 1] + ordered[middle]);
    }
}
