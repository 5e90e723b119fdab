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
        var kind = Choice("--operator", "What is called.", Operator.WindowAttention);
        var pass = Choice("--pass", "The forward or the backward.", Pass.Forward);
        var format = Choice("--format", "The format of the maps.", MemoryFormat.ChannelsLast);
        var type = CommonOptions.ElementType();
        var workload = MeasureCommand.WorkloadOption("--workload", Workload.Counted, "What is upsampled.");
        var times = new Option<int>("--times") { Description = "How many calls.", DefaultValueFactory = _ => 1 };
        var window = new Option<int?>("--window") { Description = "The width of the window, where the workload's is not meant." };
        var command = new Command("call", "Call an operator; prints the multiply-adds that its formula has.")
        {
            device, kind, pass, format, type, workload, window, times,
        };
        command.SetAction(result =>
        {
            var called = Find<Operator>(result.GetValue(kind)!);
            var direction = Find<Pass>(result.GetValue(pass)!);
            var elements = CommonOptions.Parse(result.GetValue(type)!);
            double multiplyAdds = 0;
            using var opened = CommonOptions.Open(result.GetValue(device));
            foreach (var given in Workload.Find(result.GetValue(workload)!).Stages)
            {
                var stage = given with { Window = result.GetValue(window) ?? given.Window };
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

    private static Option<string> Choice<TValue>(string name, string description, TValue byDefault)
        where TValue : struct, Enum
    {
        var option = new Option<string>(name)
        {
            Description = description,
            DefaultValueFactory = _ => BenchmarkJson.Name(byDefault),
        };
        option.AcceptOnlyFromAmong([.. Enum.GetValues<TValue>().Select(BenchmarkJson.Name)]);
        return option;
    }

    private static TValue Find<TValue>(string name)
        where TValue : struct, Enum => Enum.GetValues<TValue>().First(known => BenchmarkJson.Name(known) == name);
}
