using ILGPU.Runtime.Cuda;
using NUnit.Framework;
using SapaGpu.Tests.Operators;
using WindowProblem = SapaGpu.Tests.Operators.WindowProblem;

namespace SapaGpu.Tests.Devices;

/// <summary>Calls recorded into a graph of CUDA on the stream of another framework.</summary>
[NonParallelizable]
[Platform("Linux")]
public sealed class CudaGraphTests
{
    private static readonly AttentionCase Operands =
        new(new WindowProblem(1, 8, 8, 5, 2, 8, 16), BorderRule.ZeroLogit);

    [Test]
    public void A_recorded_forward_and_backward_can_be_run_on_other_values()
    {
        using var device = Open(new DeviceOptions { UsesPrimaryContext = true });
        using var framework = new CudaFramework(0);
        using var stream = ((CudaAccelerator)device.Accelerator).CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        using var onStream = Open(device.Options with { Stream = stream.StreamPtr });
        using var query = Operands.Query.ToTensor<float>(onStream, MemoryFormat.ChannelsLast);
        using var key = Operands.Key.ToTensor<float>(onStream, MemoryFormat.ChannelsLast);
        using var value = Operands.Value.ToTensor<float>(onStream, MemoryFormat.ChannelsLast);
        using var gradOutput = Operands.GradOutput.ToTensor<float>(onStream, MemoryFormat.ChannelsLast);
        using var output = FeatureMap<float>.Create(
            onStream, Operands.Problem.Shape.OutputShape, MemoryFormat.ChannelsLast);
        using var gradQuery = FeatureMap<float>.Create(onStream, query.Shape, MemoryFormat.ChannelsLast);
        using var gradKey = FeatureMap<float>.Create(onStream, key.Shape, MemoryFormat.ChannelsLast);
        using var gradValue = FeatureMap<float>.Create(onStream, value.Shape, MemoryFormat.ChannelsLast);
        using var context = new WindowAttentionContext<float>(onStream, Operands.Problem.Shape, Operands.Options);

        // Once before, so that kernels are compiled and the workspace is there: neither can be recorded.
        Call();
        float[] expectedOutput = output.ToArray();
        float[] expectedGradient = gradKey.ToArray();
        onStream.Synchronize();
        using var graph = new CudaGraph(stream.StreamPtr, Call);
        foreach (var result in new[] { output, gradQuery, gradKey, gradValue })
            result.Clear();
        graph.Launch(stream.StreamPtr);
        Compare.Bitwise(output.ToArray(), expectedOutput, "output");
        Compare.Bitwise(gradKey.ToArray(), expectedGradient, "gradient of the key");

        value.Clear();
        graph.Launch(stream.StreamPtr);
        Assert.That(output.ToArray(), Is.All.Zero);

        void Call()
        {
            WindowAttention.Forward(query, key, value, output, Operands.Options, context);
            WindowAttention.Backward(context, gradOutput, gradQuery, gradKey, gradValue);
        }
    }

    private static ComputeDevice Open(DeviceOptions options) => TestDevices.OpenAnew("cuda", options);
}
