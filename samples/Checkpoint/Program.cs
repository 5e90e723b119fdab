// The upsampler of a network that was trained in PyTorch: its parameters are found in the checkpoint, nothing of which is run.
//
//     dotnet run -c Release --project samples/Checkpoint -- [checkpoint] [prefix]
using SapaGpu;

string path = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "segmenter.pth");
using var device = ComputeDevice.OpenDefault();
using var module = new SapaUpsampler<float>(
    device, new SapaOptions { EncoderChannels = 4, DecoderChannels = 6, EmbeddingChannels = 3 });

// Without the prefix that training on several GPUs adds: the error says what the names begin with.
if (args.Length < 2)
{
    try
    {
        module.Load(path, prefix: "decode_head.up1.");
        return 1;
    }
    catch (StateMismatchException e)
    {
        Console.WriteLine(e.Message);
    }
}
var report = module.Load(path, args.Length > 1 ? args[1] : "module.decode_head.up1.");
Console.WriteLine($"loaded; {report}");
foreach (var parameter in module.Parameters)
    Console.WriteLine($"  {parameter.Name} [{string.Join(", ", parameter.Shape)}], mean {parameter.Read().Average():f3}");

// The other way: what was changed here is a file that PyTorch reads (safetensors.torch.load_file).
module.ToStateDict().Save("upsampler.safetensors");
Console.WriteLine($"upsampler.safetensors: {new FileInfo("upsampler.safetensors").Length} bytes");
return report.IsComplete ? 0 : 1;
