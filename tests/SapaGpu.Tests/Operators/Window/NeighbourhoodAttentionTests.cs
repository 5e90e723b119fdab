using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Moved windows at an integer ratio are neighbourhood attention: that of keys and values repeated as often as the
/// ratio says, with the ratio as dilation.
/// </summary>
[TestFixture]
public sealed class NeighbourhoodAttentionTests
{
    private static readonly OptionsCase[] Cases =
    [
        Case(window: 3, scale: 2, height: 4, width: 5),
        Case(window: 3, scale: 3, height: 3, width: 4),
        Case(window: 5, scale: 2, height: 5, width: 6),
        Case(window: 3, scale: 1, height: 5, width: 3),
    ];

    private static readonly Lazy<double[]>[][] Expected = [.. Cases.Select(Expect)];

    [Test]
    [DeviceGrid]
    public void Moved_windows_are_neighbourhood_attention_of_repeated_keys_and_values(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        for (int i = 0; i < Cases.Length; i++)
        {
            var operands = Cases[i];
            string what = $"{device} {format} {operands}";
            using var query = operands.Query.ToTensor<float>(opened, format);
            using var key = operands.Key.ToTensor<float>(opened, format);
            using var value = operands.Value.ToTensor<float>(opened, format);
            using var gradOutput = operands.GradOutput.ToTensor<float>(opened, format);
            using var output = WindowAttention.Forward(query, key, value, operands.Options, out var context);
            using (context)
            {
                using var gradients = WindowAttention.Backward(context, gradOutput);
                Compare.Forward(output, ReferenceMap.From(operands.OutputShape, Expected[i][0].Value), what);
                Compare.Backward(gradients.Query!, Expected[i][1].Value, $"query, {what}");
                Compare.Backward(gradients.Key!, Expected[i][2].Value, $"key, {what}");
                Compare.Backward(gradients.Value!, Expected[i][3].Value, $"value, {what}");
            }
        }
    }

    private static OptionsCase Case(int window, int scale, int height, int width) => new(
        new WindowShape(1, height, width, window, scale, 3, 2),
        new WindowAttentionOptions { Window = window, Border = BorderRule.Shifted });

    // The output and the gradients of query, key and value.
    private static Lazy<double[]>[] Expect(OptionsCase operands)
    {
        ReferenceMap Forward() => NeighbourhoodReference.Attention(
            operands.Query,
            NeighbourhoodReference.Repeat(operands.Key, operands.Shape.Scale),
            NeighbourhoodReference.Repeat(operands.Value, operands.Shape.Scale),
            operands.Options.Window,
            operands.Shape.Scale);

        Lazy<double[]> Gradient(ReferenceMap input) =>
            new(() => Reference.Gradient(Forward, input, operands.GradOutput));

        return
        [
            new(() => Forward().ToArray()), Gradient(operands.Query), Gradient(operands.Key), Gradient(operands.Value),
        ];
    }
}
