using System.CommandLine;
using SapaGpu.Cli;
using SapaGpu.Segmentation;
using TorchSharp;

TorchLibrary.AllowOlderRuntime();
var root = new RootCommand(
    "Trains segmentation networks that differ in the upsampling operator only, and compares them.")
{
    TrainCommand.Create(),
    ReportCommand.Create(),
    FigureCommand.Create(),
};
var parsed = root.Parse(args);
try
{
    torch.set_num_threads(Environment.ProcessorCount);
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Usage;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or NotSupportedException)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Failure;
}
