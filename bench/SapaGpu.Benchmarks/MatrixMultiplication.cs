using System.Diagnostics;
using System.Globalization;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// The machine's own single-precision matrix multiplication, as libtorch does it on all cores. It is timed in a process of
/// its own, whose threads, which go on spinning after their work, are gone when the next measurement begins.
/// </summary>
internal static class MatrixMultiplication
{
    /// <summary>The argument that makes this program the process that multiplies.</summary>
    public const string Argument = "mm";

    private const int Size = 1024;
    private const int WarmUps = 10;
    private const int Repetitions = 31;

    /// <summary>Gets the multiplications and additions of one product.</summary>
    public static double Operations => 2.0 * Size * Size * Size;

    /// <summary>Times the product and prints the seconds of every repetition.</summary>
    public static void Run()
    {
        TorchLibrary.AllowOlderRuntime();
        torch.set_num_threads(Environment.ProcessorCount);
        using var left = torch.rand(Size, Size);
        using var right = torch.rand(Size, Size);
        for (int repetition = -WarmUps; repetition < Repetitions; repetition++)
        {
            long start = Stopwatch.GetTimestamp();
            torch.mm(left, right).Dispose();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (repetition >= 0)
                Console.WriteLine(seconds.ToString("r", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The seconds of every repetition, timed in a process of its own.</summary>
    public static IReadOnlyList<double> Measure()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(MatrixMultiplication).Assembly.Location, Argument])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)]
            : throw new InvalidOperationException($"The matrix multiplication ended with {process.ExitCode}: {output}");
    }

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
