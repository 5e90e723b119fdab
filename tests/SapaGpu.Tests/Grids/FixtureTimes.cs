using System.Collections.Concurrent;
using System.Diagnostics;
using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace SapaGpu.Tests.Grids;

/// <summary>
/// Where the time goes: when the last test has ended, the slowest fixtures are listed in the file that
/// SAPAGPU_TEST_TIMES names, each with the seconds of its tests.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class FixtureTimesAttribute : Attribute, ITestAction
{
    private const int Listed = 20;

    private static readonly ConcurrentDictionary<string, (int Tests, TimeSpan Time)> Times = [];
    private static readonly ConcurrentDictionary<string, long> Running = [];

    public ActionTargets Targets => ActionTargets.Test;

    /// <summary>Writes the table where it was asked for.</summary>
    public static void Write()
    {
        if (Environment.GetEnvironmentVariable("SAPAGPU_TEST_TIMES") is not { Length: > 0 } file)
            return;
        using var writer = new StreamWriter(file);
        double all = Times.Values.Sum(fixture => fixture.Time.TotalSeconds);
        writer.WriteLine(FormattableString.Invariant(
            $"{Times.Count} fixtures, {all:f0} s of tests, of which (s, tests, fixture):"));
        foreach (var (name, (tests, time)) in Times.OrderByDescending(pair => pair.Value.Time).Take(Listed))
            writer.WriteLine(FormattableString.Invariant($"{time.TotalSeconds,8:f1} {tests,5} {name}"));
    }

    public void BeforeTest(ITest test) => Running[test.Id] = Stopwatch.GetTimestamp();

    public void AfterTest(ITest test)
    {
        if (!Running.TryRemove(test.Id, out long begin))
            return;
        var time = Stopwatch.GetElapsedTime(begin);
        Times.AddOrUpdate(test.ClassName ?? test.Name, (1, time), (_, known) => (known.Tests + 1, known.Time + time));
    }
}
