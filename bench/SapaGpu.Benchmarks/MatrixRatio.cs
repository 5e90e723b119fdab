using System.Diagnostics;
using System.Globalization;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// Time of window attention as a multiple of the time that the vendor's single-precision matrix multiplication takes for
/// as many operations, measured by turns in one run, so that a busy machine slows both.
/// </summary>
internal static class MatrixRatio
{
    /// <summary>The rows and columns of the matrices.</summary>
    public const int Size = 512;

    private const double MatrixOperations = 2.0 * Size * Size * Size;
    private const int Blocks = 5;
    private const int Repetitions = 21;
    private const int WarmUps = 15;
    private const int PauseMilliseconds = 300;

    /// <summary>Measures both formats, prints a table and returns the largest ratio of the forward.</summary>
    public static double Run()
    {
        TorchLibrary.AllowOlderRuntime();
        torch.set_num_threads(Environment.ProcessorCount);
        using var device = Device.Open(DeviceKind.Cpu);
        using var left = torch.rand(Size, Size);
        using var right = torch.rand(Size, Size);
        var shape = Workload.Medium;
        Console.WriteLine(
            $"{device.Info.Name}, {device.Info.Details}; f32, {shape.ValueShape} to {shape.OutputShape}, K{shape.Window}, " +
            $"D{shape.QueryShape.Channels}; medians of {Blocks * Repetitions}");
        double worst = 0;
        foreach (var format in new[] { MemoryFormat.ChannelsLast, MemoryFormat.Contiguous })
        {
            using var workload = new Workload(device, Workload.Medium, format);
            var times = Measure(
                () => torch.mm(left, right).Dispose(), workload.Forward, workload.Backward);
            var matrix = times[0];
            Print(format, "mm", matrix, MatrixOperations, matrix);
            worst = Math.Max(worst, Print(format, "forward", times[1], workload.ForwardOperations, matrix));
            Print(format, "backward", times[2], workload.BackwardOperations, matrix);
        }
        return worst;
    }

    // In blocks, with a pause before each: the vendor's threads keep spinning for a fifth of a second after their work.
    private static Timing[] Measure(params Action[] actions)
    {
        var times = actions.Select(_ => new List<double>(Blocks * Repetitions)).ToArray();
        for (int block = 0; block < Blocks; block++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                Thread.Sleep(PauseMilliseconds);
                for (int repetition = -WarmUps; repetition < Repetitions; repetition++)
                {
                    long start = Stopwatch.GetTimestamp();
                    actions[i]();
                    if (repetition >= 0)
                        times[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }
        }
        return [.. times.Select(t => t.Order().ToArray()).Select(t => new Timing(t[t.Length / 2], t[t.Length / 10]))];
    }

    // The ratio is that of the times for as many operations: at the median, and at the fastest tenth of the calls, which
    // is what is left when the neighbours on a shared machine are quiet.
    private static double Print(MemoryFormat format, string what, Timing time, double operations, Timing matrix)
    {
        double share = operations / MatrixOperations;
        double median = time.Median / (matrix.Median * share);
        double fastest = time.FastestTenth / (matrix.FastestTenth * share);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{format,-13} {what,-9} {time.Median * 1e3,7:f2} ms {operations / time.Median * 1e-9,6:f1} GFLOP/s {median,5:f2} x mm" +
            $"   fastest tenth {time.FastestTenth * 1e3,7:f2} ms {operations / time.FastestTenth * 1e-9,6:f1} GFLOP/s {fastest,5:f2} x mm"));
        return median;
    }

    private readonly record struct Timing(double Median, double FastestTenth);
}
