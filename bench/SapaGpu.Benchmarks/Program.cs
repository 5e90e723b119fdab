using System.CommandLine;
using SapaGpu.Benchmarks;

var root = new RootCommand("Benchmarks of SapaGpu. Without a command, the arguments are those of BenchmarkDotNet.")
{
    CheckCommand.Create(),
    RatioCommand.Create(),
    MemoryCommand.Create(),
    GrowthCommand.Create(),
    StartupCommand.Create(),
    UpsamplersCommand.Create(),
};
foreach (var command in ChildCommands.Create())
    root.Add(command);
return args is [var first, ..] && root.Subcommands.Any(command => command.Name == first)
    ? root.Parse(args).Invoke()
    : BenchmarkSuite.Run(args);
