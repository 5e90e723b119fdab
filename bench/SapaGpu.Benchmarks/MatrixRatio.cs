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
    public const int Size = 1024;

    private const double MatrixOperations = 2.0 * Size * Size * Size;
    private const int Blocks = 5;
    private const int Repetitions = 9;
    private const int WarmUps = 3;
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
            double matrixRate = MatrixOperations / times[0];
            double forward = times[1] * matrixRate / workload.ForwardOperations;
            double backward = times[2] * matrixRate / workload.BackwardOperations;
            Print(format, "mm", times[0], MatrixOperations, 1);
            Print(format, "forward", times[1], workload.ForwardOperations, forward);
            Print(format, "backward", times[2], workload.BackwardOperations, backward);
            worst = Math.Max(worst, forward);
        }
        return worst;
    }

    // In blocks, with a pause before each: the vendor's threads keep spinning for a fifth of a second after their work.
    private static double[] Measure(params Action[] actions)
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
        return [.. times.Select(t => t.Order().ElementAt(t.Count / 2))];
    }

    private static void Print(MemoryFormat format, string what, double seconds, double operations, double ratio) =>
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{format,-13} {what,-9} {seconds * 1e3,8:f2} ms {operations / seconds * 1e-9,7:f1} GFLOP/s  {ratio:f2} x the time of mm"));
}
