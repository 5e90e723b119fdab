using System.CommandLine;
using SapaGpu.Cli;
using SapaGpu.Workloads;

namespace SapaGpu.DeviceBenchmarks;

/// <summary>
/// <c>call</c>: one call of one operator, for programs that count what a device does. Making the operands may take calls
/// as well, which <c>--times 0</c> does alone.
/// </summary>
internal static class CallCommand
{
    public static Command Create()
    {
        var device = CommonOptions.Device();
        var kind = new Option<string>("--operator")
        {
            Description = "What is called.",
            DefaultValueFactory = _ => BenchmarkJson.Name(Operator.WindowAttention),
        };
        kind.AcceptOnlyFromAmong([.. Enum.GetValues<Operator>().Select(BenchmarkJson.Name)]);
        var pass = new Option<string>("--pass")
        {
            Description = "The forward or the backward.",
            DefaultValueFactory = _ => BenchmarkJson.Name(Pass.Forward),
        };
        pass.AcceptOnlyFromAmong([.. Enum.GetValues<Pass>().Select(BenchmarkJson.Name)]);
        var format = new Option<string>("--format")
        {
            Description = "The format of the maps.",
            DefaultValueFactory = _ => BenchmarkJson.Name(MemoryFormat.ChannelsLast),
        };
        format.AcceptOnlyFromAmong([.. Enum.GetValues<MemoryFormat>().Select(BenchmarkJson.Name)]);
        var type = CommonOptions.ElementType();
        var workload = new Option<string>("--workload")
        {
            Description = "What is upsampled.",
            DefaultValueFactory = _ => Workload.Counted.Name,
        };
        workload.AcceptOnlyFromAmong([.. Workload.All.Select(known => known.Name)]);
        var times = new Option<int>("--times") { Description = "How many calls.", DefaultValueFactory = _ => 1 };
        var command = new Command("call", "Call an operator; prints the multiply-adds that its formula has.")
        {
            device, kind, pass, format, type, workload, times,
        };
        command.SetAction(result =>
        {
            var called = Find<Operator>(result.GetValue(kind)!);
            var direction = Find<Pass>(result.GetValue(pass)!);
            var elements = CommonOptions.Parse(result.GetValue(type)!);
            double multiplyAdds = 0;
            using var opened = CommonOptions.Open(result.GetValue(device));
            foreach (var stage in Workload.Find(result.GetValue(workload)!).Stages)
            {
                using var run = OperatorRun.Create(
                    called, opened, stage, elements, Find<MemoryFormat>(result.GetValue(format)!));
                for (int i = 0; i < result.GetValue(times); i++)
                {
                    if (direction == Pass.Forward)
                        run.Forward();
                    else
                        run.Backward();
                }
                opened.Synchronize();
                multiplyAdds += Cost.Of(called, direction, stage, elements.Size()).Operations / 2;
            }
            Console.WriteLine(FormattableString.Invariant($"{multiplyAdds:f0}"));
            return ExitCode.Success;
        });
        return command;
    }

    private static TValue Find<TValue>(string name)
        where TValue : struct, Enum => Enum.GetValues<TValue>().First(known => BenchmarkJson.Name(known) == name);
}
