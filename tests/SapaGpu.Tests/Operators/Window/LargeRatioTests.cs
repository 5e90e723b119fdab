using NUnit.Framework;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Cells of many queries, whose gradients are products of matrices on the CPU: against the composition in double
/// precision, with maps of several tiles and windows that are no multiple of what is computed at a time.
/// </summary>
[TestFixture]
public sealed class LargeRatioTests
{
    private static readonly WindowShape[] Shapes =
    [
        new(2, 3, 5, 9, 4, 5, 20),
        new(1, 21, 2, 3, 4, 4, 68),
        new(1, 2, 27, 5, 5, 3, 6),
        new(1, 3, 3, 7, 8, 4, 100),
        new(1, 1, 2, 15, 4, 2, 3),
    ];

    [Test]
    public void Gradients_match_the_composition(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device,
        [Values] MemoryFormat format,
        [ValueSource(nameof(Shapes))] WindowShape shape)
    {
        var operands = new OptionsCase(shape, new WindowAttentionOptions { Window = shape.Window }).RoundedTo<float>();
        var exact = new NaiveAttention<double>(operands, value => value).Run();
        Check<float>(TestDevices.Open(device), format, operands, exact);
        Check<double>(TestDevices.Open(device), format, operands, exact);
    }

    private static void Check<T>(ComputeDevice device, MemoryFormat format, OptionsCase operands, double[][] exact)
        where T : unmanaged
    {
        string what = $"{device} {typeof(T).Name} {format} {operands}";
        using var query = operands.Query.ToTensor<T>(device, format);
        using var key = operands.Key.ToTensor<T>(device, format);
        using var value = operands.Value.ToTensor<T>(device, format);
        using var gradOutput = operands.GradOutput.ToTensor<T>(device, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
        using var gradients = WindowAttention.Backward(context, gradOutput);
        context.Dispose();
        Near.Forward(output, ReferenceMap.From(operands.OutputShape, exact[0]), what);
        Near.Backward(gradients.Query!, exact[1], $"query, {what}");
        Near.Backward(gradients.Key!, exact[2], $"key, {what}");
        Near.Backward(gradients.Value!, exact[3], $"value, {what}");
    }
}
