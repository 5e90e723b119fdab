using System.CommandLine;

namespace SapaGpu.Benchmarks;

/// <summary>The options that several commands have.</summary>
internal static class CommandOptions
{
    /// <summary>What is upsampled.</summary>
    public static Option<string> Workload(string byDefault)
    {
        var option = new Option<string>("--workload")
        {
            Description = "What is upsampled.",
            DefaultValueFactory = _ => byDefault,
        };
        option.AcceptOnlyFromAmong([.. Workloads.Workload.All.Select(known => known.Name)]);
        return option;
    }
}
