using System.CommandLine;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary><c>memory</c>: what a call takes beyond its operands and results, ours and libtorch's.</summary>
internal static class MemoryCommand
{
    private const MemoryFormat Format = MemoryFormat.ChannelsLast;
    private const double Mebibyte = 1 << 20;

    public static Command Create()
    {
        var workload = CommandOptions.Workload(Workload.Medium.Name);
        var command = new Command(
            "memory", "Print the memory that calls take beyond operands and results, for the largest stage of a workload.")
        {
            workload,
        };
        command.SetAction(result => Print(Workload.Find(result.GetValue(workload)!)));
        return command;
    }

    private static void Print(Workload workload)
    {
        var stage = workload.Stages.MaxBy(known => known.Shape.OutputShape.ElementCount)!;
        Console.WriteLine(
            $"f32, channels-last, {stage.Shape.ValueShape} to {stage.Shape.OutputShape}, K{stage.Window}, D{stage.Embedding}");
        Console.WriteLine();
        MarkdownTable.Print(
            ["operator", "call", "managed bytes a call", "extra native MiB", "libtorch's extra MiB"],
            from kind in Enum.GetValues<Operator>()
            from call in Enum.GetValues<Call>()
            select Row(kind, stage, call));
    }

    private static string[] Row(Operator kind, Stage stage, Call call)
    {
        var own = CallMemory.Measure(kind, stage, call, ElementType.Float32, Format);
        string peer = ResidentMemory.IsKnown
            ? MarkdownTable.Number(
                new PeerRequest(kind, stage, call, ElementType.Float32, Format, MeasuresMemory: true).Measure() / Mebibyte)
            : "unknown";
        return [$"{kind}", $"{call}", $"{own.ManagedBytes}", MarkdownTable.Number(own.NativeBytes / Mebibyte), peer];
    }
}
