using System.CommandLine;
using System.CommandLine.Parsing;
using SapaGpu.Cli;
using Spectre.Console;

namespace SapaGpu.Segmentation;

/// <summary><c>train</c>: trains the networks and prints the tables.</summary>
internal static class TrainCommand
{
    private const int QuickEpochs = 5;
    private const int QuickImages = 64;
    private const string Seeds = "0,1,2";
    private const string QuickSeeds = "0";

    private static readonly TrainingSettings Defaults = new();

    public static Command Create()
    {
        var data = CommandOptions.Data();
        var operators = CommandOptions.Operators();
        var output = CommandOptions.Output();
        var quick = CommandOptions.Quick();
        var skip = CommandOptions.Skip();
        var seeds = new Option<string?>("--seeds")
        {
            Description = $"Seeds, separated by commas. Default: {Seeds}, with --quick {QuickSeeds}.",
        };
        var epochs = new Option<int?>("--epochs")
        {
            Description =
                $"How often the training images are seen. Default: {Defaults.Epochs}, with --quick {QuickEpochs}.",
        };
        var batch = new Option<int>("--batch")
        {
            Description = "The images of a step.",
            DefaultValueFactory = _ => Defaults.Batch,
        };
        var rate = new Option<double>("--learning-rate")
        {
            Description = "The learning rate of the first step; it falls to zero.",
            DefaultValueFactory = _ => Defaults.LearningRate,
        };
        var window = new Option<int>("--window")
        {
            Description = "The width of the windows of CARAFE, SAPA-I, SAPA-B and SAPA-G, odd.",
            DefaultValueFactory = _ => Defaults.Window,
        };
        var evaluate = new Option<int>("--evaluate-every")
        {
            Description =
                "Score the validation split after every so many epochs; 0 for never. Nothing is chosen by it.",
        };
        foreach (var count in new Option[] { epochs, batch })
            count.Validators.Add(RequirePositive);
        var command = new Command(
            "train", "Train what is not trained yet, then print the tables. May be stopped and started again.")
        {
            data, operators, seeds, epochs, batch, rate, window, skip, evaluate, quick, output,
        };
        command.SetAction((result, cancellation) =>
        {
            bool isQuick = result.GetValue(quick);
            var experiment = new Experiment(
                CommandOptions.OpenDatasets(result.GetValue(data)),
                CommandOptions.ParseOperators(result.GetValue(operators)!),
                CommandOptions.ParseNumbers(result.GetValue(seeds) ?? (isQuick ? QuickSeeds : Seeds)),
                result.GetValue(skip),
                Defaults with
                {
                    Epochs = result.GetValue(epochs) ?? (isQuick ? QuickEpochs : Defaults.Epochs),
                    Batch = result.GetValue(batch),
                    LearningRate = result.GetValue(rate),
                    Window = result.GetValue(window),
                    ImageLimit = isQuick ? QuickImages : null,
                },
                result.GetValue(evaluate),
                CommandOptions.ChooseOutput(result.GetValue(output), isQuick));
            return Task.Run(() => Run(experiment, cancellation), CancellationToken.None);
        });
        return command;
    }

    private static void RequirePositive(OptionResult result)
    {
        if (result.Tokens.Any(token => int.TryParse(token.Value, out int number) && number < 1))
            result.AddError($"{result.Option.Name} must be 1 or more.");
    }

    private static int Run(Experiment experiment, CancellationToken cancellation)
    {
        try
        {
            if (AnsiConsole.Profile.Capabilities.Interactive && !Console.IsOutputRedirected)
                ProgressBars.Show(experiment.Runs, observer => experiment.Execute(observer, cancellation));
            else
                experiment.Execute(new ProgressLines(Console.Out), cancellation);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("Stopped. The same command goes on after the last epoch that ended.");
            return ExitCode.Failure;
        }
        ReportCommand.Write(experiment.Output);
        return ExitCode.Success;
    }
}
