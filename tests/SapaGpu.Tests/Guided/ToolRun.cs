using SapaGpu.Cli;

namespace SapaGpu.Tests.Guided;

/// <summary>A run of the tool in this process, from its entry point, with what it printed.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Errors)
{
    public static ToolRun Of(params string[] arguments)
    {
        var (oldOutput, oldErrors) = (Console.Out, Console.Error);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        Console.SetOut(output);
        Console.SetError(errors);
        try
        {
            var main = typeof(ExitCode).Assembly.EntryPoint!;
            int code = (int)main.Invoke(null, [arguments])!;
            return new ToolRun(code, output.ToString(), errors.ToString());
        }
        finally
        {
            Console.SetOut(oldOutput);
            Console.SetError(oldErrors);
        }
    }
}
