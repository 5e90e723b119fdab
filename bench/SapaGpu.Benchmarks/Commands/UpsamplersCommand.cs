using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace SapaGpu.Benchmarks;

/// <summary>
/// <c>upsamplers</c>: whole NAF and AnyUp, from an image and features to the output, each size in a process of its own.
/// </summary>
internal static class UpsamplersCommand
{
    public const string ChildArgument = "upsampler-child";

    private const int Rounds = 3;
    private const double Mebibyte = 1 << 20;

    // What a vision transformer gives for an image of 448x448: 384 channels with patches of 16 pixels, 768 with patches of 14.
    private static readonly Dictionary<string, (int Channels, int Cells)> Models = new()
    {
        ["naf"] = (384, 28),
        ["anyup"] = (768, 32),
    };

    public static Command Create()
    {
        var sizes = new Argument<int[]>("sizes")
        {
            Description = "Heights and widths of image and output.",
            DefaultValueFactory = _ => [448],
        };
        var command = new Command(
            "upsamplers", "Time whole NAF and AnyUp on the CPU: f32, contiguous, features of 28x28 and 32x32 cells.")
        {
            sizes,
        };
        command.SetAction(result => Print(result.GetValue(sizes)!));
        return command;
    }

    /// <summary>Measures a model and a size, written as <c>naf:448</c>, and prints the results.</summary>
    public static void Serve(string request)
    {
        string[] parts = request.Split(':');
        string model = parts[0];
        int size = int.Parse(parts[1], CultureInfo.InvariantCulture);
        var (channels, cells) = Models[model];
        using var device = ComputeDevice.Open("cpu");
        using ImageGuidedUpsampler<float> upsampler = model == "naf"
            ? new NafUpsampler<float>(device, new NafOptions())
            : new AnyUpUpsampler<float>(device, new AnyUpOptions());
        using var image = Random(device, new MapShape(1, 3, size, size));
        using var features = Random(device, new MapShape(1, channels, cells, cells));
        var seconds = new List<double>();
        for (int round = 0; round <= Rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            using var output = upsampler.Forward(image, features, size, size);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (round > 0)
                seconds.Add(elapsed);
        }
        seconds.Sort();
        double peak = ResidentMemory.IsKnown ? ResidentMemory.Peak / Mebibyte : double.NaN;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds[Rounds / 2]} {seconds[0]} {peak}"));
    }

    private static void Print(int[] sizes)
    {
        using (var device = ComputeDevice.Open("cpu"))
            Console.WriteLine($"{device}, {Environment.ProcessorCount} cores");
        Console.WriteLine();
        MarkdownTable.Print(
            ["model", "image and output", "features", "median s", "least s", "peak memory of the process, MiB", "of it output"],
            from model in Models
            from size in sizes
            select Row(model.Key, model.Value.Channels, model.Value.Cells, size));
    }

    private static string[] Row(string model, int channels, int cells, int size)
    {
        double[] numbers = [.. ChildProcess.Run(ChildArgument, $"{model}:{size}")[^1]
            .Split(' ')
            .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        return
        [
            model,
            $"{size}x{size}",
            $"{channels}x{cells}x{cells}",
            MarkdownTable.Number(numbers[0]),
            MarkdownTable.Number(numbers[1]),
            MarkdownTable.Number(numbers[2]),
            MarkdownTable.Number(4.0 * channels * size * size / Mebibyte),
        ];
    }

    private static FeatureMap<float> Random(ComputeDevice device, MapShape shape)
    {
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, checked((int)shape.ElementCount)).Select(_ => random.NextSingle() - 0.5f)];
        return FeatureMap<float>.From(device, shape, values);
    }
}
