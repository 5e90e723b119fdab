using System.Diagnostics;
using System.Globalization;

namespace SapaGpu.Fuzz.Running;

/// <summary>What a campaign did.</summary>
internal sealed record Tally(long Problems, long Calls, int Failures, double Seconds)
{
    public string Describe(string campaign)
    {
        using var process = Process.GetCurrentProcess();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{campaign}: {Problems} problems, {Calls} calls, {Failures} failures, {Seconds:f1} s, " +
            $"peak {process.PeakWorkingSet64 >> 20} MiB");
    }
}
