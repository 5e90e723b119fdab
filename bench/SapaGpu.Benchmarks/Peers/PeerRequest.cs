using System.Globalization;
using System.Text.Json;
using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>A measurement of a peer in a process of its own.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Stage">What is upsampled.</param>
/// <param name="Call">The call.</param>
/// <param name="Type">The type of all tensors.</param>
/// <param name="Format">The format of the maps.</param>
/// <param name="MeasuresMemory">Whether bytes are asked for, rather than seconds.</param>
internal sealed record PeerRequest(
    Operator Operator, Stage Stage, Call Call, ElementType Type, MemoryFormat Format, bool MeasuresMemory)
{
    /// <summary>The argument that makes this program the process that measures.</summary>
    public const string Argument = "peer";

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.3);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(0.7);

    /// <summary>The median seconds of a call, or the bytes at its peak beyond operands and results.</summary>
    public double Measure() =>
        double.Parse(ChildProcess.Run(Argument, JsonSerializer.Serialize(this))[^1], CultureInfo.InvariantCulture);

    /// <summary>Measures in this process, and prints the number.</summary>
    public static void Serve(string json)
    {
        var request = JsonSerializer.Deserialize<PeerRequest>(json)!;
        double number = request.MeasuresMemory ? request.Bytes() : request.Seconds();
        Console.WriteLine(number.ToString("r", CultureInfo.InvariantCulture));
    }

    private double Seconds()
    {
        using var peer = Create(Stage);
        return Stopclock.Measure(() => Run(peer), WarmUp, Duration).Median();
    }

    private double Bytes()
    {
        // What a first call loads and starts is not the operator's.
        using (var first = Create(Stage with { Batch = 1, Height = 8, Width = 8 }))
            Run(first);
        using var peer = Create(Stage);
        GC.Collect();
        ResidentMemory.ResetPeak();
        long before = ResidentMemory.Current;
        Run(peer);
        return Math.Max(0, ResidentMemory.Peak - before - ResultBytes.Of(Operator, Stage, Call, Type));
    }

    private Peer Create(Stage stage)
    {
        var peer = Peer.Create(Operator, stage, Type, Format, isChecked: false);
        torch.set_num_threads(Environment.ProcessorCount);
        if (Call == Call.Backward)
            peer.PrepareBackward();
        return peer;
    }

    private void Run(Peer peer) => peer.Run(Call);
}
