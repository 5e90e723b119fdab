using System.Diagnostics;
using NUnit.Framework;

namespace SapaGpu.Tests;

/// <summary>Programs in processes of their own, which read environment variables when they start.</summary>
internal static class ChildProcess
{
    private const int PatienceMilliseconds = 120_000;

    /// <summary>Runs a program of .NET, or fails the running test where it does not end.</summary>
    /// <param name="environment">What is set in addition, or removed where the value is null.</param>
    /// <param name="arguments">The assembly and its arguments.</param>
    public static (int Code, string Output, string Errors) RunDotnet(
        IEnumerable<KeyValuePair<string, string?>> environment, params IEnumerable<string> arguments) =>
        Run("dotnet", environment, arguments);

    /// <summary>Runs a program, or fails the running test where it does not end.</summary>
    public static (int Code, string Output, string Errors) Run(
        string program, IEnumerable<KeyValuePair<string, string?>> environment, IEnumerable<string> arguments)
    {
        var start =
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(PatienceMilliseconds))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end.");
        }
        process.WaitForExit();
        return (process.ExitCode, output.Result, errors.Result);
    }
}
