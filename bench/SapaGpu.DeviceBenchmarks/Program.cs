using System.CommandLine;
using SapaGpu;
using SapaGpu.Cli;
using SapaGpu.DeviceBenchmarks;
using SapaGpu.DeviceBenchmarks.Code;
using SapaGpu.DeviceBenchmarks.Page;

var root = new RootCommand("Measures the operators of SapaGpu on a GPU, without any other library.")
{
    MeasureCommand.Create(),
    CompareCommand.Create(),
    CodeCommand.Create(),
    AssembleCommand.Create(),
    CallCommand.Create(),
    LibrarySortCommand.Create(),
    RecordCommand.Create(),
    PageCommand.Create(),
};
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (DeviceUnavailableException e)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.NoDevice;
}
catch (Exception e) when (e is ArgumentException or IOException or InvalidDataException or System.Text.Json.JsonException)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Failure;
}
