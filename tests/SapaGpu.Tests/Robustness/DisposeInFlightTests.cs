using System.Collections.Concurrent;
using NUnit.Framework;
using SapaGpu.Modules;

namespace SapaGpu.Tests.Robustness;

/// <summary>What is disposed while another thread computes with it: the call ends as ever, or says so.</summary>
[NonParallelizable]
public sealed class DisposeInFlightTests
{
    private const int Rounds = 40;

    [Test]
    public void Parameters_of_a_projection_stay_alive()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = 2 });
        using var input = Random(device, 1, new MapShape(1, 192, 48, 48));
        using var first = Random(device, 2, new MapShape(192, 192, 1, 1));
        var values = first.ToArray();
        using var expected = FeatureMap<float>.Create(device, input.Shape);
        PointwiseProjection.Forward(input, new ProjectionWeights(first, null), expected);
        var wanted = expected.ToArray();
        var wrong = new ConcurrentBag<string>();
        for (int round = 0; round < Rounds; round++)
        {
            var weight = FeatureMap<float>.From(device, first.Shape, values);
            using var output = FeatureMap<float>.Create(device, input.Shape);
            var thread = Start(wrong, () =>
            {
                PointwiseProjection.Forward(input, new ProjectionWeights(weight, null), output);
                if (!output.ToArray().SequenceEqual(wanted))
                    wrong.Add("another result");
            });
            Pause(round);
            weight.Dispose();

            // Whoever comes next takes the memory, if it has been given back too early.
            using var next = FeatureMap<float>.Create(device, first.Shape);
            next.AsSpan().Fill(float.NaN);
            thread.Join();
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Modules_and_contexts_end_their_calls([Values] bool disposesModule)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = 2 });
        using var encoder = Random(device, 1, new MapShape(1, 32, 64, 64));
        using var decoder = Random(device, 2, new MapShape(1, 64, 32, 32));
        var options = new SapaOptions
        {
            EncoderChannels = 32,
            DecoderChannels = 64,
            Similarity = Similarity.GatedBilinear,
        };
        var wrong = new ConcurrentBag<string>();
        for (int round = 0; round < Rounds; round++)
        {
            using var module = new SapaUpsampler<float>(device, options);
            using var output = module.Forward(encoder, decoder, out var context);
            var threads = Enumerable.Range(0, 2)
                .Select(_ => Start(wrong, () => module.Backward(context, output).Dispose()))
                .ToList();
            Pause(round);
            if (disposesModule)
                module.Dispose();
            else
                context.Dispose();
            device.TrimMemory();
            foreach (var thread in threads)
                thread.Join();
            context.Dispose();
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Modules_that_take_columns_of_a_matrix_end_their_calls()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = 2 });
        using var encoder = Random(device, 1, new MapShape(1, 8, 16, 16));
        using var decoder = Random(device, 2, new MapShape(1, 8, 8, 8));
        var options = new SapaOptions { EncoderChannels = 8, DecoderChannels = 8, Similarity = Similarity.Concatenated };
        var wrong = new ConcurrentBag<string>();
        for (int round = 0; round < 5 * Rounds; round++)
        {
            // The views of the columns are made in the first call, while the module is disposed.
            using var module = new SapaUpsampler<float>(device, options);
            var threads = Enumerable.Range(0, 2)
                .Select(_ => Start(wrong, () => module.Forward(encoder, decoder).Dispose())).ToList();
            Thread.SpinWait(round * 400);
            module.Dispose();
            foreach (var thread in threads)
                thread.Join();
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void What_is_disposed_is_released_by_the_last_use()
    {
        int released = 0;
        var lifetime = new Lifetime(() => released++);
        var first = lifetime.Hold(this);
        var second = lifetime.Hold(this);
        first.Dispose();
        lifetime.Dispose();
        lifetime.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(released, Is.Zero, "one use is left");
            Assert.That(() => lifetime.Hold(this).Dispose(), Throws.TypeOf<ObjectDisposedException>());
        });
        second.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(released, Is.EqualTo(1));
            Assert.That(() => lifetime.Hold(this).Dispose(), Throws.TypeOf<ObjectDisposedException>());
        });
    }

    private static Thread Start(ConcurrentBag<string> wrong, Action action)
    {
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (ObjectDisposedException)
            {
                // The call came too late.
            }
            catch (Exception e)
            {
                wrong.Add(e.ToString());
            }
        });
        thread.Start();
        return thread;
    }

    // Every round disposes a little later.
    private static void Pause(int round) => Thread.SpinWait(round * 4000);

    private static FeatureMap<float> Random(ComputeDevice device, int seed, MapShape shape)
    {
        var random = new Random(seed);
        var values = new float[shape.ElementCount];
        for (int i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() - 0.5f;
        return FeatureMap<float>.From(device, shape, values);
    }
}
