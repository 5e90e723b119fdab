using System.Diagnostics;

namespace SapaGpu.Workloads;

/// <summary>Times calls, after a warm-up.</summary>
internal static class Stopclock
{
    private const int FewestCalls = 3;

    /// <summary>The seconds of every call within a duration by the clock, at least three.</summary>
    public static List<double> Measure(Action action, TimeSpan warmUp, TimeSpan duration) =>
        Collect(() => Seconds(action), warmUp, duration);

    /// <summary>The seconds that every call gives within a duration, at least three.</summary>
    public static List<double> Collect(Func<double> call, TimeSpan warmUp, TimeSpan duration)
    {
        var seconds = new List<double>();
        long begin = Stopwatch.GetTimestamp();
        do
        {
            call();
        }
        while (Stopwatch.GetElapsedTime(begin) < warmUp);
        begin = Stopwatch.GetTimestamp();
        while (seconds.Count < FewestCalls || Stopwatch.GetElapsedTime(begin) < duration)
            seconds.Add(call());
        return seconds;
    }

    /// <summary>The seconds of one call by the clock.</summary>
    public static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The middle of a series.</summary>
    public static double Median(this IReadOnlyCollection<double> seconds)
    {
        var ordered = seconds.Order().ToArray();
        int middle = ordered.Length / 2;
        return ordered.Length % 2 == 1 ? ordered[middle] : 0.5 * (ordered[middle - 1] + ordered[middle]);
    }
}
