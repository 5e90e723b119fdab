using System.CommandLine;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary><c>growth</c>: how the time of the forward grows with the map, the images and the threads.</summary>
internal static class GrowthCommand
{
    private const MemoryFormat Format = MemoryFormat.ChannelsLast;
    private const int Turns = 3;
    private static readonly int[] Sizes = [32, 64, 128, 256, 512];
    private static readonly int[] Batches = [1, 2, 4, 8, 16];
    private static readonly Operator[] Operators = [Operator.WindowAttention, Operator.Carafe, Operator.Bilinear];
    private static readonly Operator[] Peers = [Operator.WindowAttention, Operator.Bilinear];
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.3);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(0.7);

    public static Command Create()
    {
        var largest = new Option<int>("--largest")
        {
            Description = "The rows of cells of the largest map.",
            DefaultValueFactory = _ => Sizes[^1],
        };
        var plot = new Option<string>("--plot")
        {
            Description = "The picture of time against size.",
            DefaultValueFactory = _ => "docs/images/growth.png",
        };
        var command = new Command("growth", "Time the forward for growing maps, numbers of images and threads.")
        {
            largest, plot,
        };
        command.SetAction(result => Print(
            [.. Sizes.Where(size => size <= result.GetValue(largest))], result.GetValue(plot)!));
        return command;
    }

    private static void Print(IReadOnlyList<int> sizes, string plotPath)
    {
        Console.WriteLine(
            "f32, channels-last, C64, D32, K5, ratio 2; forward, nanoseconds an output point, all threads");
        Console.WriteLine();
        var ours = Operators.ToDictionary(kind => kind, kind => Seconds(kind, sizes));
        var peers = Peers.ToDictionary(kind => kind, kind => PeerSeconds(kind, sizes));
        MarkdownTable.Print(
            ["cells", .. Operators.Select(kind => $"{kind}"), .. Peers.Select(kind => $"{kind}, libtorch")],
            sizes.Select((size, i) => (string[])[$"{size}x{size}", .. PerPoint(ours, i), .. PerPoint(peers, i)]));

        var images = Batches.Select(batch => SquareStage(32) with { Batch = batch }).ToArray();
        var byBatch = Operators.ToDictionary(kind => kind, kind => Seconds(kind, images));
        MarkdownTable.Print(
            ["images of 32x32 cells", .. Operators.Select(kind => $"{kind}")],
            images.Select((image, i) => (string[])[$"{image.Batch}", .. Operators.Select(
                kind => Nanoseconds(byBatch[kind][i], image))]));

        Console.WriteLine("Times as fast on two threads as on one, measured by turns");
        Console.WriteLine();
        MarkdownTable.Print(
            ["cells", .. Operators.Select(kind => $"{kind}")],
            sizes.Select(size => (string[])
                [$"{size}x{size}", .. Operators.Select(
                    kind => MarkdownTable.Number(Speedup(kind, SquareStage(size))))]));

        GrowthPlot.Save(plotPath, sizes,
        [
            .. Operators.Select(kind => new GrowthSeries($"{kind}", ours[kind], IsPeer: false)),
            .. Peers.Select(kind => new GrowthSeries($"{kind}, libtorch", peers[kind], IsPeer: true)),
        ]);
        Console.WriteLine($"Time against size: {plotPath}");

        IEnumerable<string> PerPoint(Dictionary<Operator, double[]> seconds, int i) =>
            seconds.Values.Select(times => Nanoseconds(times[i], SquareStage(sizes[i])));
    }

    private static Stage SquareStage(int size) => new(1, 64, size, size, Embedding: 32);

    private static double[] Seconds(Operator kind, IEnumerable<int> sizes) => Seconds(kind, sizes.Select(SquareStage));

    private static double[] Seconds(Operator kind, IEnumerable<Stage> stages)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        return [.. stages.Select(stage =>
        {
            using var run = OperatorRun.Create(kind, device, stage, ElementType.Float32, Format);
            return Measure(device, run, Duration).Median();
        })];
    }

    // A busy machine slows both.
    private static double Speedup(Operator kind, Stage stage)
    {
        using var one = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = 1 });
        using var two = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = 2 });
        using var runOnOne = OperatorRun.Create(kind, one, stage, ElementType.Float32, Format);
        using var runOnTwo = OperatorRun.Create(kind, two, stage, ElementType.Float32, Format);
        var secondsOnOne = new List<double>();
        var secondsOnTwo = new List<double>();
        for (int turn = 0; turn < Turns; turn++)
        {
            secondsOnOne.AddRange(Measure(one, runOnOne, Duration / Turns));
            secondsOnTwo.AddRange(Measure(two, runOnTwo, Duration / Turns));
        }
        return secondsOnOne.Median() / secondsOnTwo.Median();
    }

    private static List<double> Measure(ComputeDevice device, OperatorRun run, TimeSpan duration)
    {
        return Stopclock.Measure(Call, WarmUp, duration);

        void Call()
        {
            run.Forward();
            device.Synchronize();
        }
    }

    // A composition may need more memory than there is: its place stays empty.
    private static double[] PeerSeconds(Operator kind, IEnumerable<int> sizes) => [.. sizes.Select(size =>
    {
        var stage = SquareStage(size);
        return kind == Operator.WindowAttention && UnfoldedBytes(stage) > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes
            ? double.NaN
            : new PeerRequest(
                kind, stage, Workloads.Call.Forward, ElementType.Float32, Format, MeasuresMemory: false).Measure();
    })];

    // Key and value unfolded, once more in the order that the product wants, and as much again for everything else.
    private static double UnfoldedBytes(Stage stage) =>
        4.0 * sizeof(float) * stage.Height * stage.Width * stage.Window * stage.Window * (stage.Embedding + stage.Channels);

    private static string Nanoseconds(double seconds, Stage stage)
    {
        double points = (double)stage.Batch * stage.Height * stage.Width * stage.Scale * stage.Scale;
        return double.IsNaN(seconds) ? "-" : MarkdownTable.Number(seconds / points * 1e9);
    }
}
