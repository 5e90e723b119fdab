using System.Globalization;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>
/// Time of window attention as a multiple of the time that the vendor's single-precision matrix multiplication takes
/// for as many operations, measured by turns, so that a busy machine slows both.
/// </summary>
internal static class MatrixRatio
{
    private const int Blocks = 3;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(1);

    // A product large enough to show the machine's rate, and one of about as many operations as the forward.
    private const int LargeSize = 1024;
    private const int SameSize = 512;

    /// <summary>Measures both formats, prints a table and returns the ratios of the channels-last passes.</summary>
    public static (double Forward, double Backward) Run()
    {
        var stage = Workload.Medium.Stages[0];
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        using var channelsLast = Create(device, stage, MemoryFormat.ChannelsLast);
        using var contiguous = Create(device, stage, MemoryFormat.Contiguous);
        double forward = Operations(Pass.Forward);
        double backward = Operations(Pass.Backward);
        var series = new[]
        {
            new Series("mm, 1024 cubed", MatrixMultiplication.Operations(LargeSize)),
            new Series("forward, channels-last", forward),
            new Series("backward, channels-last", backward),
            new Series("forward, contiguous", forward),
            new Series("backward, contiguous", backward),
            new Series("mm, 512 cubed", MatrixMultiplication.Operations(SameSize)),
        };
        for (int block = 0; block < Blocks; block++)
        {
            series[0].Seconds.AddRange(MatrixMultiplication.Measure(LargeSize));
            Measure(channelsLast.Forward, series[1]);
            Measure(channelsLast.Backward, series[2]);
            Measure(contiguous.Forward, series[3]);
            Measure(contiguous.Backward, series[4]);
            series[5].Seconds.AddRange(MatrixMultiplication.Measure(SameSize));
        }

        var shape = stage.Shape;
        Console.WriteLine($"{device.Info.Name}, {device.Info.Details}");
        Console.WriteLine(
            $"f32, {shape.ValueShape} to {shape.OutputShape}, K{shape.Window}, D{shape.QueryShape.Channels}; " +
            $"medians and fastest tenths of the calls of {Blocks} seconds");
        foreach (var measured in series)
            Print(measured, series[0]);
        return (series[1].RatioTo(series[0], 0.5), series[2].RatioTo(series[0], 0.5));
    }

    private static OperatorRun Create(ComputeDevice device, Stage stage, MemoryFormat format) =>
        OperatorRun.Create(Operator.WindowAttention, device, stage, ElementType.Float32, format);

    private static double Operations(Pass pass) =>
        Cost.Of(Operator.WindowAttention, pass, Workload.Medium, ElementType.Float32).Operations;

    /// <summary>The seconds of every call of one block.</summary>
    public static List<double> Measure(Action action) => Stopclock.Measure(action, WarmUp, Duration);

    private static void Measure(Action action, Series series) => series.Seconds.AddRange(Measure(action));

    private static void Print(Series series, Series matrix) => Console.WriteLine(
        $"{series.Name,-24} median {Text(series, matrix, 0.5)}   fastest tenth {Text(series, matrix, 0.1)}");

    private static string Text(Series series, Series matrix, double quantile) => string.Create(
        CultureInfo.InvariantCulture,
        $"{series.At(quantile) * 1e3,6:f2} ms {series.Operations / series.At(quantile) * 1e-9,6:f1} GFLOP/s " +
        $"{series.RatioTo(matrix, quantile),5:f2} x mm");

    private sealed record Series(string Name, double Operations)
    {
        public List<double> Seconds { get; } = [];

        /// <summary>
        /// A quantile of the times: 0.5 is the median; 0.1 is what is left when the neighbours are quiet.
        /// </summary>
        public double At(double quantile) => Seconds.Order().ElementAt((int)(Seconds.Count * quantile));

        /// <summary>The time as a multiple of another's for as many operations.</summary>
        public double RatioTo(Series other, double quantile) =>
            At(quantile) / Operations / (other.At(quantile) / other.Operations);
    }
}
