using System.Diagnostics;

namespace SapaGpu.Benchmarks;

/// <summary>Times an action for one second, after a warm-up.</summary>
internal static class Timing
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(1);

    /// <summary>The seconds of every call.</summary>
    public static List<double> Measure(Action action)
    {
        var seconds = new List<double>();
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < WarmUp + Duration)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            if (Stopwatch.GetElapsedTime(begin) > WarmUp)
                seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return seconds;
    }
}
