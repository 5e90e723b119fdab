using NUnit.Framework;

namespace SapaGpu.Onnx.Tests;

/// <summary>The device of the tests, maps of random numbers, and the comparison.</summary>
internal static class TestMaps
{
    public static ComputeDevice Device { get; } = ComputeDevice.Open("cpu", new DeviceOptions { Threads = 1 });

    public static FeatureMap<T> Random<T>(int seed, int batch, int channels, int height, int width)
        where T : unmanaged
    {
        var random = new Random(seed);
        var shape = new MapShape(batch, channels, height, width);
        var values = new T[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
        {
            double value = random.NextDouble() * 3 - 1.5;
            values[i] = typeof(T) == typeof(Half) ? (T)(object)(Half)value : (T)(object)(float)value;
        }
        return FeatureMap<T>.From(Device, shape, values);
    }

    public static void Randomise<T>(UpsamplerModule<T> module, int seed)
        where T : unmanaged
    {
        var random = new Random(seed);
        foreach (var parameter in module.Parameters)
        {
            var values = parameter.Read();
            for (int i = 0; i < values.Length; i++)
                values[i] += random.NextDouble() - 0.5;
            parameter.Write(values);
        }
    }

    public static void AreEqual<T>((long[] Shape, T[] Values) actual, FeatureMap<T> expected, double bound, string message)
        where T : unmanaged
    {
        var shape = expected.Shape;
        Assert.That(actual.Shape, Is.EqualTo([shape.Batch, shape.Channels, shape.Height, shape.Width]), message);
        var values = Array.ConvertAll(expected.ToArray(MemoryFormat.Contiguous), Convert);
        var results = Array.ConvertAll(actual.Values, Convert);
        Assert.That(values.Concat(results), Has.All.Matches<double>(double.IsFinite), message);
        double largest = Math.Max(1, values.Max(Math.Abs));
        double worst = values.Zip(results, (value, result) => Math.Abs(result - value)).Max();
        Assert.That(worst, Is.LessThanOrEqualTo(bound * largest), message);

        static double Convert(T value) => value is Half half ? (double)half : (float)(object)value;
    }
}
