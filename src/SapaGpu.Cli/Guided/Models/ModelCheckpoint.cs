using System.Globalization;

namespace SapaGpu.Cli.Guided.Models;

/// <summary>The options of a model: what the shapes of a checkpoint say, what was given, and the defaults.</summary>
internal sealed class ModelCheckpoint
{
    private const string NafPixels = "image_encoder.encoder.0.weight";
    private const string NafSurroundings = "image_encoder.sem_encoder.0.weight";
    private const string NafPeriods = "image_encoder.rope.periods";
    private const string AnyUpPixels = "image_encoder.0.weight";
    private const string AnyUpBasis = "key_features_encoder.0.basis";

    /// <summary>More channels than any model has; a damaged file may announce any number.</summary>
    private const int MostChannels = 1 << 16;

    private static readonly Dictionary<UpsamplingModel, string[]> Telling = new()
    {
        [UpsamplingModel.Naf] = [NafPixels, NafSurroundings],
        [UpsamplingModel.AnyUp] = [AnyUpPixels, AnyUpBasis],
    };

    private readonly ModelRequest request;
    private readonly ParameterShapes shapes;

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="InvalidDataException">The file is no checkpoint, or that of another model.</exception>
    public ModelCheckpoint(ModelRequest request)
    {
        this.request = request;
        if (Directory.Exists(request.Checkpoint))
            throw new InvalidDataException($"{request.Checkpoint}: this is a folder; name a checkpoint in it.");
        if (!File.Exists(request.Checkpoint))
            throw new InvalidDataException($"{request.Checkpoint}: there is no such checkpoint.");
        shapes = new ParameterShapes(request.Checkpoint, request.Prefix, request.Model.Name(), Telling[request.Model]);
        foreach (var (other, names) in Telling)
        {
            if (other != request.Model && !Telling[request.Model].All(State.ContainsKey) && names.All(State.ContainsKey))
            {
                throw new InvalidDataException(
                    $"{request.Checkpoint}: this is a checkpoint of {other.Title()}, not of {request.Model.Title()}; give " +
                    $"--model {other.Name()}, or another checkpoint.");
            }
        }
    }

    /// <summary>The parameters.</summary>
    public StateDict State => shapes.State;

    /// <summary>The options of NAF.</summary>
    /// <exception cref="InvalidDataException">The parameters are not those of NAF.</exception>
    /// <exception cref="ArgumentException">The options do not suit the parameters.</exception>
    public NafOptions Naf()
    {
        int half = Channels(NafPixels);
        var options = new NafOptions
        {
            Channels = 2 * half,
            RotaryHeads = RotaryHeads(2 * half),
            Blocks = Enumerable.Range(1, State.Count)
                .TakeWhile(block => State.ContainsKey($"image_encoder.encoder.{block}.conv1.weight")).Count(),
        };
        options = options with
        {
            Heads = request.Heads ?? options.Heads,
            Window = request.Window ?? options.Window,
            NormGroups = request.NormGroups ?? options.NormGroups,
            Epsilon = request.Epsilon ?? options.Epsilon,
        };
        CheckDivisor("--heads", options.Heads, options.Channels, "channels of queries and keys");
        CheckDivisor("--norm-groups", options.NormGroups, half, "channels of either encoder");
        return options;
    }

    /// <summary>The options of AnyUp.</summary>
    /// <exception cref="InvalidDataException">The parameters are not those of AnyUp.</exception>
    /// <exception cref="ArgumentException">The options do not suit the parameters.</exception>
    public AnyUpOptions AnyUp()
    {
        var options = new AnyUpOptions
        {
            Channels = Channels(AnyUpPixels),
            ImageKernel = OddKernel(AnyUpPixels),
            FeatureKernels = Channels(AnyUpBasis),
            FeatureKernel = OddKernel(AnyUpBasis),
        };
        options = options with
        {
            Heads = request.Heads ?? options.Heads,
            WindowRatio = request.WindowRatio ?? options.WindowRatio,
            NormGroups = request.NormGroups ?? options.NormGroups,
            Epsilon = request.Epsilon ?? options.Epsilon,
        };
        CheckDivisor("--heads", options.Heads, options.Channels, "channels of queries and keys");
        CheckDivisor("--norm-groups", options.NormGroups, options.Channels, "channels of queries and keys");
        CheckDivisor("--norm-groups", options.NormGroups, options.FeatureKernels, "kernels over the features");
        return options;
    }

    private int Channels(string parameter)
    {
        int channels = shapes.Of(parameter, 0);
        return channels is >= 1 and <= MostChannels
            ? channels
            : throw new InvalidDataException(
                $"{request.Checkpoint}: {request.Prefix}{parameter} has {channels} outputs, which no {request.Model.Title()} has.");
    }

    private int OddKernel(string parameter)
    {
        int width = shapes.SquareKernel(parameter);
        return width % 2 == 1
            ? width
            : throw new InvalidDataException(
                $"{request.Checkpoint}: the kernel of {request.Prefix}{parameter} is {width}x{width}; its width must be odd.");
    }

    // A period serves four channels of a head: a pair for rows and a pair for columns.
    private int RotaryHeads(int channels)
    {
        int periods = shapes.Of(NafPeriods, 0);
        return periods > 0 && channels % (4L * periods) == 0
            ? channels / (4 * periods)
            : throw new InvalidDataException(
                $"{request.Checkpoint}: {request.Prefix}{NafPeriods} has {periods} periods, but the {channels} channels of queries " +
                "and keys are no multiple of four times as many.");
    }

    private void CheckDivisor(string option, int divisor, int number, string what)
    {
        if (number % divisor == 0)
            return;
        throw new ArgumentException(string.Create(
            CultureInfo.InvariantCulture,
            $"{option} {divisor}: the checkpoint {request.Checkpoint} has {number} {what}, no multiple of {divisor}; give the " +
            $"{option} that the model was trained with."));
    }
}
