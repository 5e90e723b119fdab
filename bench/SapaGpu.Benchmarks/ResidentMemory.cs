using System.Globalization;

namespace SapaGpu.Benchmarks;

/// <summary>The memory of this process that is present, as Linux counts it.</summary>
internal static class ResidentMemory
{
    private const string Status = "/proc/self/status";
    private const string ClearReferences = "/proc/self/clear_refs";
    private const string ResetPeakCommand = "5";

    /// <summary>Gets the bytes now.</summary>
    public static long Current => Read("VmRSS:");

    /// <summary>Gets the most bytes since <see cref="ResetPeak"/>.</summary>
    public static long Peak => Read("VmHWM:");

    /// <summary>Gets whether the system counts them.</summary>
    public static bool IsKnown => File.Exists(Status);

    /// <summary>Forgets the peak.</summary>
    public static void ResetPeak() => File.WriteAllText(ClearReferences, ResetPeakCommand);

    private static long Read(string name)
    {
        string line = File.ReadLines(Status).First(text => text.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line[name.Length..].Replace("kB", null).Trim(), CultureInfo.InvariantCulture);
    }
}
