// The file of a module gives what the module gives, by standard operators and by SapaGpu's own.
using Microsoft.ML.OnnxRuntime;
using SapaGpu;
using SapaGpu.Onnx;

float[] guide = [.. Enumerable.Range(0, 4 * 8 * 8).Select(i => i % 7 * 0.25f)];
float[] features = [.. Enumerable.Range(0, 6 * 4 * 4).Select(i => i % 5 * 0.5f)];
using var device = ComputeDevice.Open("cpu");
using var module = new SapaUpsampler<float>(device, new SapaOptions { EncoderChannels = 4, DecoderChannels = 6 });
using var encoder = FeatureMap<float>.From(device, new MapShape(1, 4, 8, 8), guide);
using var decoder = FeatureMap<float>.From(device, new MapShape(1, 6, 4, 4), features);
using var expected = module.Forward(encoder, decoder);
byte[] file = OnnxModel.Export(module).ToArray();
bool areRight = true;
foreach (bool isRegistered in new[] { false, true })
{
    using var options = new SessionOptions();
    if (isRegistered)
        options.AddSapaGpu();
    using var session = new InferenceSession(file, options);
    using var y = OrtValue.CreateTensorValueFromMemory(guide, [1, 4, 8, 8]);
    using var x = OrtValue.CreateTensorValueFromMemory(features, [1, 6, 4, 4]);
    using var run = new RunOptions();
    using var results = session.Run(run, ["encoder", "decoder"], [y, x], ["output"]);
    float error = expected.ToArray().Zip(results[0].GetTensorDataAsSpan<float>().ToArray(), (a, b) => Math.Abs(a - b)).Max();
    Console.WriteLine($"{(isRegistered ? "SapaGpu's kernels" : "standard operators")}: off by {error:g2}");
    areRight &= error < 1e-5;
}
return areRight ? 0 : 1;
