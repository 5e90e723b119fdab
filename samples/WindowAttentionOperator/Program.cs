// The operator in ten lines: queries at a high resolution look at the 5x5 cells around theirs, forward and backward.
//
//     dotnet run -c Release --project samples/WindowAttentionOperator
using SapaGpu;

using var device = ComputeDevice.OpenDefault();
var random = new Random(1);
using var query = FeatureMap<float>.From(device, new MapShape(1, 32, 64, 64), Draw(32 * 64 * 64));
using var key = FeatureMap<float>.From(device, new MapShape(1, 32, 16, 16), Draw(32 * 16 * 16));
using var value = FeatureMap<float>.From(device, new MapShape(1, 8, 16, 16), Draw(8 * 16 * 16));
using var output = WindowAttention.Forward(query, key, value, new WindowAttentionOptions { Window = 5 }, out var context);
using var gradients = WindowAttention.Backward(context, output);
context.Dispose();

Console.WriteLine($"query {query.Shape}, key {key.Shape}, value {value.Shape} to {output.Shape} on {device.Id}");
Console.WriteLine($"gradients {gradients.Query!.Shape}, {gradients.Key!.Shape}, {gradients.Value!.Shape}");

// With softmax, outputs are means of values where no tap lies outside the map.
float most = value.ToArray().Max(), least = value.ToArray().Min();
return output.ToArray().All(mean => mean >= least && mean <= most) ? 0 : 1;

float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble())];
