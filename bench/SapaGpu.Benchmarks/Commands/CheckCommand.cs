using System.CommandLine;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary><c>check</c>: whether every operator and its peer agree, without timing them.</summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        var workload = CommandOptions.Workload("small");
        var command = new Command("check", "Compare output and gradients of every operator with those of libtorch.")
        {
            workload,
        };
        command.SetAction(result => Check(Workload.Find(result.GetValue(workload)!)) ? 0 : 1);
        return command;
    }

    private static bool Check(Workload workload)
    {
        var cases =
            from kind in Enum.GetValues<Operator>()
            from type in Enum.GetValues<ElementType>()
            from format in Enum.GetValues<MemoryFormat>()
            select (kind, type, format);
        bool agrees = true;
        foreach (var (kind, type, format) in cases)
        {
            try
            {
                foreach (var stage in workload.Stages)
                    Peer.Create(kind, stage, type, format, isChecked: true).Dispose();
                Console.WriteLine($"{kind}, {type.ShortName()}, {format}: agrees");
            }
            catch (Exception e) when (e is InvalidOperationException or System.Runtime.InteropServices.ExternalException)
            {
                agrees = false;
                Console.WriteLine($"{kind}, {type.ShortName()}, {format}: {e.Message.Split('\n')[0]}");
            }
        }
        return agrees;
    }
}
