// Maps of features, as networks have them inside: a batch of two images, 32 channels, 8 times smaller than the photos.
//
//     dotnet run -c Release --project samples/FeatureMaps -- [device]
using System.Diagnostics;
using SapaGpu;
using SapaGpu.Guided;

const int Batch = 2;
const int Channels = 32;
const int Height = 240;
const int Width = 320;
const int Ratio = 8;

using var device = args.Length > 0 ? ComputeDevice.Open(args[0]) : ComputeDevice.OpenDefault();

// Photos of a bright disc on a dark ground. The features are 1 in cells of the disc, 0 elsewhere, in every channel.
using var photos = FeatureMap<float>.From(
    device, new MapShape(Batch, 3, Height, Width), Fill(3, Height, Width, (y, x) => IsDisc(y, x) ? 0.9f : 0.1f));
using var features = FeatureMap<float>.From(
    device,
    new MapShape(Batch, Channels, Height / Ratio, Width / Ratio),
    Fill(Channels, Height / Ratio, Width / Ratio, (y, x) => IsDisc((y + 0.5) * Ratio, (x + 0.5) * Ratio) ? 1 : 0));

var watch = Stopwatch.StartNew();
using var large = GuidedUpsampler.Upsample(photos, features);
watch.Stop();

// How many pixels are on the right side of the edge, beside repeating every cell.
float[] values = large.ToArray();
int guided = 0, nearest = 0;
for (int y = 0; y < Height; y++)
{
    for (int x = 0; x < Width; x++)
    {
        bool truth = IsDisc(y, x);
        guided += values[y * Width + x] > 0.5f == truth ? 1 : 0;
        nearest += IsDisc((y / Ratio + 0.5) * Ratio, (x / Ratio + 0.5) * Ratio) == truth ? 1 : 0;
    }
}
Console.WriteLine($"{features.Shape} to {large.Shape} on {device.Id} in {watch.Elapsed.TotalMilliseconds:f0} ms");
Console.WriteLine(
    $"right pixels: {100.0 * guided / (Height * Width):f2} %; of nearest neighbours {100.0 * nearest / (Height * Width):f2} %");
return guided > nearest ? 0 : 1;

static bool IsDisc(double y, double x) => Math.Pow(y - 110, 2) + Math.Pow(x - 170, 2) < 75 * 75;

static float[] Fill(int channels, int height, int width, Func<int, int, float> value)
{
    float[] values = new float[Batch * channels * height * width];
    for (int i = 0; i < values.Length; i++)
        values[i] = value(i / width % height, i % width);
    return values;
}
