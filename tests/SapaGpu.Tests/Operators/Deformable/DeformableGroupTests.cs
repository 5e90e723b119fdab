using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Deformable attention on the CPU takes a group at a time where there are enough groups for the threads, and goes over
/// all of them, the backward in several passes, where there are not: nobody may see which.
/// </summary>
[TestFixture]
public sealed class DeformableGroupTests
{
    // Both numbers of channels are multiples of 16 lanes, and the rows of queries are no multiples of a run.
    private static readonly DeformableProblem Problem = new(2, 5, 7, 10, 21, 4, 9, 16, 32);

    private static readonly DeformableOperands Small =
        new(Problem with { Batch = 1, Height = 2, Width = 3, OutputHeight = 4, OutputWidth = 5 });

    private const int FewThreads = 1;
    private const int ManyThreads = 16;

    [Test]
    public void Results_do_not_depend_on_the_number_of_threads(
        [Values(128, 256, 512)] int bits, [Values] MemoryFormat format)
    {
        Same<float>(bits, format);
        Same<double>(bits, format);
        Same<Half>(bits, format);
        Same<BFloat16>(bits, format);
    }

    [Test]
    public void A_gradient_is_the_same_alone_and_with_the_others(
        [Values(FewThreads, ManyThreads)] int threads, [Values] MemoryFormat format)
    {
        using var device = Open(512, threads);
        using var tensors = new DeformableTensors<float>(new DeformableOperands(Problem), device, format);
        using var all = tensors.Backward();
        Alone(tensors, all.Query, 0);
        Alone(tensors, all.Key, 1);
        Alone(tensors, all.Value, 2);
        Alone(tensors, all.Offsets, 3);
    }

    [Test]
    public void Gradients_match_the_reference([Values] MemoryFormat format)
    {
        var operands = Small;
        using var device = Open(512, FewThreads);
        using var tensors = new DeformableTensors<double>(operands, device, format);
        using var gradients = tensors.Backward();
        Near.Backward(gradients.Query, operands.Gradient(operands.Attention, operands.Query), "query");
        Near.Backward(gradients.Key, operands.Gradient(operands.Attention, operands.Key), "key");
        Near.Backward(gradients.Value, operands.Gradient(operands.Attention, operands.Value), "value");
        Near.Backward(gradients.Offsets, operands.Gradient(operands.Attention, operands.Offsets), "offsets");
    }

    private static ComputeDevice Open(int bits, int threads) =>
        ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { VectorBits = bits, Threads = threads });

    private static void Same<T>(int bits, MemoryFormat format)
        where T : unmanaged
    {
        var operands = new DeformableOperands(Problem);
        var few = Run<T>(operands, bits, FewThreads, format);
        var many = Run<T>(operands, bits, ManyThreads, format);
        for (int i = 0; i < few.Length; i++)
            Compare.Bitwise(many[i], few[i], $"{typeof(T).Name}, result {i}");
    }

    private static T[][] Run<T>(DeformableOperands operands, int bits, int threads, MemoryFormat format)
        where T : unmanaged
    {
        using var device = Open(bits, threads);
        using var tensors = new DeformableTensors<T>(operands, device, format);
        using var output = tensors.Forward();
        using var gradients = tensors.Backward();
        return
        [
            output.ToArray(),
            gradients.Query.ToArray(),
            gradients.Key.ToArray(),
            gradients.Value.ToArray(),
            gradients.Offsets.ToArray(),
        ];
    }

    private static void Alone(DeformableTensors<float> tensors, FeatureMap<float> expected, int which)
    {
        var shape = expected.Shape;
        using var gradient = FeatureMap<float>.Create(expected.Device, shape, expected.Format);
        DeformableAttention.Backward(
            tensors.Query,
            tensors.Key,
            tensors.Value,
            tensors.Offsets,
            tensors.GradOutput,
            which == 0 ? gradient : null,
            which == 1 ? gradient : null,
            which == 2 ? gradient : null,
            which == 3 ? gradient : null,
            tensors.Options);
        Compare.Bitwise(gradient.ToArray(), expected.ToArray(), $"gradient {which} alone");
    }
}
