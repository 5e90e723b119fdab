using System.Diagnostics;

namespace SapaGpu.Fuzz.Running;

/// <summary>This program once more, in a process of its own.</summary>
internal static class OwnProcess
{
    public static Process Start(IEnumerable<string> arguments, bool redirects, string? progress = null)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(OwnProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = redirects,

            // Calls with any text for a path leave files, and these go with the folder of the progress.
            WorkingDirectory = Path.GetDirectoryName(progress) ?? string.Empty,
        };
        start.Environment[Progress.Variable] = progress;
        return Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
    }
}
