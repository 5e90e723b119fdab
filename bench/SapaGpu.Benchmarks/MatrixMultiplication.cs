using System.Globalization;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// The machine's own single-precision matrix multiplication, as libtorch does it on all cores. It is timed in a process
/// of its own, whose threads, which go on spinning after their work, are gone when the next measurement begins.
/// </summary>
internal static class MatrixMultiplication
{
    /// <summary>The argument that makes this program the process that multiplies.</summary>
    public const string Argument = "mm";

    /// <summary>The multiplications and additions of a product of square matrices.</summary>
    public static double Operations(int size) => 2.0 * size * size * size;

    /// <summary>Times the product and prints the seconds of every call.</summary>
    public static void Run(int size)
    {
        TorchLibrary.AllowOlderRuntime();
        torch.set_num_threads(Environment.ProcessorCount);
        using var left = torch.rand(size, size);
        using var right = torch.rand(size, size);
        foreach (double seconds in MatrixRatio.Measure(() => torch.mm(left, right).Dispose()))
            Console.WriteLine(seconds.ToString("r", CultureInfo.InvariantCulture));
    }

    /// <summary>The seconds of every call, timed in a process of its own.</summary>
    public static IReadOnlyList<double> Measure(int size) =>
        [.. ChildProcess.Run(Argument, $"{size}").Select(Parse)];

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
