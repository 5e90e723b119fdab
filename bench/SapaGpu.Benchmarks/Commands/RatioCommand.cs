using System.CommandLine;
using System.Globalization;

namespace SapaGpu.Benchmarks;

/// <summary>
/// <c>ratio</c>: window attention beside a matrix multiplication, with limits for continuous integration.
/// </summary>
internal static class RatioCommand
{
    public static Command Create()
    {
        var forwardLimit = Limit("forwardLimit", "forward");
        var backwardLimit = Limit("backwardLimit", "backward");
        var command = new Command("ratio", "Compare window attention with a matrix multiplication by turns.")
        {
            forwardLimit, backwardLimit,
        };
        command.SetAction(result =>
        {
            var (forward, backward) = MatrixRatio.Run();
            bool isForwardFast = Check("forward", forward, result.GetValue(forwardLimit));
            bool isBackwardFast = Check("backward", backward, result.GetValue(backwardLimit));
            return isForwardFast && isBackwardFast ? 0 : 1;
        });
        return command;
    }

    private static Argument<double> Limit(string name, string pass) => new(name)
    {
        Description =
            $"The most times that the {pass} may take as long as a matrix multiplication of as many operations.",
        DefaultValueFactory = _ => double.PositiveInfinity,
    };

    private static bool Check(string pass, double ratio, double limit)
    {
        if (ratio <= limit)
            return true;
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"The {pass} takes {ratio:f2} times as long as a matrix multiplication; the limit is {limit:f2}."));
        return false;
    }
}
