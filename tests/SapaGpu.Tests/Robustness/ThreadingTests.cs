using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Robustness;

/// <summary>One device used from many threads at once.</summary>
[TestFixture]
public sealed class ThreadingTests
{
    private const int Threads = 8;

    [Test]
    [DeviceGrid]
    public void Many_threads_on_one_device_get_the_results_of_one(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device)
    {
        var opened = TestDevices.Open(device);

        // An OpenCL driver takes a second for a kernel.
        var (rounds, count) = device == "opencl" ? (5, 3) : (25, int.MaxValue);
        var problems = WindowProblem.All.Where(p => p.Window <= 7).Take(count).ToArray();
        var cases = problems.Select(p => new AttentionCase(p, BorderRule.ZeroLogit)).ToArray();
        var expected = cases.Select(c => Run(opened, c)).ToArray();
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread =>
        {
            for (int round = 0; round < rounds; round++)
            {
                int i = (thread + round) % cases.Length;
                var actual = Run(opened, cases[i]);
                for (int j = 0; j < actual.Length; j++)
                    Compare.Bitwise(actual[j], expected[i][j], $"{device} thread {thread} round {round} {problems[i]}");
            }
        });
    }

    [Test]
    public void Disposing_a_device_waits_for_the_calls_that_run()
    {
        for (int round = 0; round < 20; round++)
        {
            var device = ComputeDevice.Open("cpu");
            var operands = new AttentionCase(new WindowProblem(1, 16, 16, 5, 2, 16, 32), BorderRule.ZeroLogit);
            using var started = new ManualResetEventSlim();
            var worker = Task.Run(() =>
            {
                try
                {
                    while (true)
                    {
                        Run(device, operands);
                        started.Set();
                    }
                }
                catch (ObjectDisposedException)
                {
                    // The end that is asked for.
                }
            });
            Assert.That(started.Wait(TimeSpan.FromSeconds(60)), Is.True);
            device.Dispose();
            Assert.That(worker.Wait(TimeSpan.FromSeconds(60)), Is.True);
        }
    }

    [Test]
    public void Disposing_a_tensor_while_another_thread_computes_with_it_is_safe()
    {
        var device = TestDevices.Open("cpu");
        var operands = new AttentionCase(new WindowProblem(1, 24, 24, 5, 2, 16, 32), BorderRule.ZeroLogit);
        for (int round = 0; round < 50; round++)
        {
            var query = operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
            using var key = operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
            using var value = operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
            var worker = Task.Run(() =>
            {
                try
                {
                    WindowAttention.Forward(query, key, value).Dispose();
                }
                catch (ObjectDisposedException)
                {
                    // The tensor was disposed first.
                }
            });
            query.Dispose();
            worker.GetAwaiter().GetResult();
        }
    }

    private static float[][] Run(ComputeDevice device, AttentionCase operands)
    {
        using var query = operands.Query.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var key = operands.Key.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var value = operands.Value.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var gradOutput = operands.GradOutput.ToTensor<float>(device, MemoryFormat.ChannelsLast);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using (context)
        {
            using var gradients = WindowAttention.Backward(context, gradOutput);
            return [output.ToArray(), gradients.Query!.ToArray(), gradients.Key!.ToArray(), gradients.Value!.ToArray()];
        }
    }
}
