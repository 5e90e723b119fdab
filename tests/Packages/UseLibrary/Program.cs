// A module forward and backward on every device, and its parameters through a file.
using SapaGpu;

bool areRight = true;
foreach (var info in ComputeDevice.Enumerate())
{
    using var device = ComputeDevice.Open(info.Id);
    bool isRight = Run(device);
    Console.WriteLine($"{info.Id}, {info.Name}: {(isRight ? "right" : "WRONG")}");
    areRight &= isRight;
}
return areRight ? 0 : 1;

static bool Run(ComputeDevice device)
{
    using var module = new SapaUpsampler<float>(device, new SapaOptions { EncoderChannels = 8, DecoderChannels = 16 });
    using var encoder = FeatureMap<float>.From(
        device, new MapShape(1, 8, 12, 12), [.. Enumerable.Range(0, 8 * 12 * 12).Select(i => i % 7 * 0.25f)]);
    using var decoder = FeatureMap<float>.From(
        device, new MapShape(1, 16, 6, 6), [.. Enumerable.Range(0, 16 * 6 * 6).Select(i => i % 5 * 0.5f)]);
    using var output = module.Forward(encoder, decoder, out var context);
    using var gradients = module.Backward(context, output);
    context.Dispose();

    string file = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.safetensors");
    module.ToStateDict().Save(file);
    using var other = new SapaUpsampler<float>(device, module.Options, seed: 1);
    var report = other.Load(file);
    File.Delete(file);
    using var same = other.Forward(encoder, decoder);

    // Means of values from 0 to 2, the same bits from the same parameters, gradients that are there.
    float[] values = output.ToArray();
    return report.IsComplete && values.AsSpan().SequenceEqual(same.ToArray()) && values.Max() is > 0 and <= 2
        && gradients.Decoder.ToArray().Any(gradient => gradient != 0)
        && gradients.Parameters.All(parameter => parameter.Read().All(double.IsFinite));
}
