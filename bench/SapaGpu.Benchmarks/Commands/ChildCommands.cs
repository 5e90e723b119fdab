using System.CommandLine;

namespace SapaGpu.Benchmarks;

/// <summary>What this program does in a process of its own for another command.</summary>
internal static class ChildCommands
{
    public static IEnumerable<Command> Create()
    {
        yield return Create<int>(MatrixMultiplication.Argument, MatrixMultiplication.Run);
        yield return Create<string>(PeerRequest.Argument, PeerRequest.Serve);
        yield return Create<string>(StartupCommand.ChildArgument, StartupCommand.Serve);
        yield return Create<string>(UpsamplerRequest.ChildArgument, UpsamplerRequest.Serve);
    }

    private static Command Create<T>(string name, Action<T> action)
    {
        var argument = new Argument<T>("request");
        var command = new Command(name) { argument };
        command.Hidden = true;
        command.SetAction(result => action(result.GetValue(argument)!));
        return command;
    }
}
