using System.CommandLine;
using SapaGpu;
using SapaGpu.Cli;

var parsed = Tool.Create().Parse(args);
if (parsed.Errors.Count > 0)
{
    // One line, also where the parser would list what is allowed in lines of their own.
    var words = string.Join(' ', parsed.Errors.Select(error => error.Message))
        .Split(['\r', '\n', '\t'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    Console.Error.WriteLine($"{string.Join(' ', words)} Try --help.");
    return ExitCode.Usage;
}
try
{
    return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (DeviceUnavailableException e)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.NoDevice;
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(ErrorText.Of(e));
    return ExitCode.Usage;
}
catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException
    or NotSupportedException or OutOfMemoryException)
{
    Console.Error.WriteLine(e.Message);
    return ExitCode.Failure;
}
catch (Exception e)
{
    Console.Error.WriteLine($"{e.GetType().Name}: {e.Message}");
    return ExitCode.Failure;
}
