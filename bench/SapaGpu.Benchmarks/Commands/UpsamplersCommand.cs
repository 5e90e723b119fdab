using System.CommandLine;

namespace SapaGpu.Benchmarks;

/// <summary>
/// <c>upsamplers</c>: whole NAF and AnyUp, from an image and features to the output, each size in a process of its own, and the
/// modules of SapaGpu.TorchSharp.
/// </summary>
internal static class UpsamplersCommand
{
    private const double Mebibyte = 1 << 20;

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

    private static void Print(int[] sizes)
    {
        using (var device = ComputeDevice.Open("cpu"))
            Console.WriteLine($"{device}, {Environment.ProcessorCount} cores");
        Console.WriteLine();
        MarkdownTable.Print(
            [
                "model", "image and output", "features", "s", "peak memory of the process, MiB", "of it output",
                "in TorchSharp: s", "peak memory, MiB",
            ],
            from model in UpsamplerRequest.Models
            from size in sizes
            select Row(new UpsamplerRequest(model, size)));
    }

    private static string[] Row(UpsamplerRequest request)
    {
        var own = request.Measure(onTorch: false);
        var torch = request.Measure(onTorch: true);
        return
        [
            request.Model,
            $"{request.Size}x{request.Size}",
            $"{request.Features}",
            MarkdownTable.Number(own.Seconds),
            MarkdownTable.Number(own.PeakBytes / Mebibyte),
            MarkdownTable.Number(request.OutputBytes / Mebibyte),
            MarkdownTable.Number(torch.Seconds),
            MarkdownTable.Number(torch.PeakBytes / Mebibyte),
        ];
    }
}
