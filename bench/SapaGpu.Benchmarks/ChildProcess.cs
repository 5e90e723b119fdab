using System.Diagnostics;

namespace SapaGpu.Benchmarks;

/// <summary>This program in a process of its own, whose threads and memory are gone when it ends.</summary>
internal static class ChildProcess
{
    /// <summary>Runs a command and returns the lines that it printed.</summary>
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static IReadOnlyList<string> Run(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ChildProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            Environment = { [AllocatorSettings.Variable] = AllocatorSettings.Value },
        };
        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : throw new InvalidOperationException(
                $"'{string.Join(' ', arguments)}' ended with {process.ExitCode}: {output}");
    }
}
