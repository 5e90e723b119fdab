using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Window attention on 16-bit types. Scores and weights never leave single precision, so the operator must not be less
/// accurate than the composition of a framework, which stores them in 16 bits.
/// </summary>
[TestFixture]
public sealed class NarrowTypesTests
{
    private static readonly WindowAttentionOptions Options = new() { Window = 3 };

    private static readonly OptionsCase Realistic = new(
        new WindowShape(1, 12, 14, 5, 2, 32, 64), WindowAttentionOptions.Default);

    private static readonly OptionsCase Reduced = new(
        new WindowShape(1, 5, 6, 5, 2, 32, 16), WindowAttentionOptions.Default);

    private static readonly OptionsCase[] Cases =
    [
        Case(Options, 3, 4, 6, 8, 4, 8),
        Case(Options with { Border = BorderRule.Replicate, Heads = 2, HeadValue = HeadValue.Shared }, 3, 5, 7, 8, 8, 4),
        Case(
            Options with { Border = BorderRule.Masked, Normalisation = ScoreNormalisation.Sigmoid, Heads = 2 },
            4, 6, 10, 9, 6, 6),
        Case(Options with { Border = BorderRule.Shifted, Normalisation = ScoreNormalisation.None }, 5, 7, 3, 4, 3, 5),
        Case(Options with { Border = BorderRule.Replicate }, 3, 3, 6, 6, 20, 36),
        Case(Options with { Border = BorderRule.Shifted }, 3, 35, 4, 40, 1, 2),
    ];

    [Test]
    public void The_composition_in_double_precision_is_the_reference()
    {
        var operands = new OptionsCase(new WindowShape(2, 2, 3, 3, 2, 2, 3), Options);
        var naive = new NaiveAttention<double>(operands, value => value).Run();
        Assert.That(naive[0], Is.EqualTo(operands.Output.ToArray()).Within(1e-12));
        Assert.That(naive[1], Is.EqualTo(operands.Gradient(operands.Query)).Within(1e-12));
        Assert.That(naive[2], Is.EqualTo(operands.Gradient(operands.Key)).Within(1e-12));
        Assert.That(naive[3], Is.EqualTo(operands.Gradient(operands.Value)).Within(1e-12));
    }

    [Test]
    [DeviceGrid]
    public void Half_is_as_accurate_as_the_composition(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format) =>
        CompareWithComposition<Half>(device, format);

    [Test]
    [DeviceGrid]
    public void Bfloat16_is_as_accurate_as_the_composition(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format) =>
        CompareWithComposition<BFloat16>(device, format);

    [Test]
    public void Half_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device, [Values] MemoryFormat format) =>
        CompareWithReference<Half>(device, format);

    [Test]
    public void Bfloat16_matches_the_reference(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device, [Values] MemoryFormat format) =>
        CompareWithReference<BFloat16>(device, format);

    [Test]
    public void Many_channels_and_long_rows_match_the_composition_in_double_precision(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Processors))] string device, [Values] MemoryFormat format)
    {
        CompareWithExact<Half>(device, format);
        CompareWithExact<BFloat16>(device, format);
    }

    private static void CompareWithExact<T>(string device, MemoryFormat format)
        where T : unmanaged
    {
        var opened = TestDevices.Open(device);
        var operands = new OptionsCase(new WindowShape(2, 3, 37, 3, 2, 68, 131), Options).RoundedTo<T>();
        var exact = new NaiveAttention<double>(operands, value => value).Run();
        var actual = AttentionRun.Of<T>(opened, operands, format);
        string what = $"{device} {typeof(T).Name} {format} {operands}";
        Compare.Forward<T>(actual[0], ReferenceMap.From(operands.OutputShape, exact[0]), what);
        Compare.Backward<T>(actual[1], exact[1], operands.Query.Shape, $"query, {what}");
        Compare.Backward<T>(actual[2], exact[2], operands.Key.Shape, $"key, {what}");
        Compare.Backward<T>(actual[3], exact[3], operands.Value.Shape, $"value, {what}");
    }

    // The largest error of the operator against that of the composition, both with the same rounded operands.
    private static void CompareWithComposition<T>(string device, MemoryFormat format)
        where T : unmanaged
    {
        var opened = TestDevices.Open(device);
        var operands = (device == "emulator" ? Reduced : Realistic).RoundedTo<T>();
        var exact = new NaiveAttention<double>(operands, value => value).Run();
        var naive = new NaiveAttention<float>(
            operands, value => (float)ElementTypes.ToDouble(ElementTypes.FromDouble<T>(value))).Run();
        var actual = AttentionRun.Of<T>(opened, operands, format);
        using (Assert.EnterMultipleScope())
        {
            Check(0, "output", factor: 2);
            Check(1, "gradient of the query", factor: 3);
            Check(2, "gradient of the key", factor: 3);
            Check(3, "gradient of the value", factor: 3);
        }

        void Check(int result, string name, double factor)
        {
            double allowed = factor * AttentionRun.LargestError(naive[result], exact[result]);
            Assert.That(
                AttentionRun.LargestError(actual[result], exact[result]),
                Is.LessThanOrEqualTo(allowed),
                $"{device} {typeof(T).Name} {format}: {name}, {factor} times the composition's error");
        }
    }

    private static void CompareWithReference<T>(string device, MemoryFormat format)
        where T : unmanaged
    {
        var opened = TestDevices.Open(device);

        // An OpenCL driver takes seconds for a kernel.
        var cases = opened.Kind == DeviceKind.OpenCL ? Cases.Take(2) : Cases;
        foreach (var operands in cases.Select(Rounded<T>.Of))
        {
            var results = AttentionRun.Of<T>(opened, operands, format);
            string what = $"{device} {typeof(T).Name} {format} {operands}";
            Compare.Forward<T>(results[0], operands.Output, what);
            Compare.Backward<T>(results[1], operands.Gradient(operands.Query), operands.Query.Shape, $"query, {what}");
            Compare.Backward<T>(results[2], operands.Gradient(operands.Key), operands.Key.Shape, $"key, {what}");
            Compare.Backward<T>(results[3], operands.Gradient(operands.Value), operands.Value.Shape, $"value, {what}");
        }
    }

    private static OptionsCase Case(
        WindowAttentionOptions options, int height, int width, int outputHeight, int outputWidth, int embedding, int value) =>
        new(
            new WindowShape(
                new MapShape(1, embedding, height, width), value, outputHeight, outputWidth, options.Window),
            options);

    // The cases with rounded operands, kept so that the reference computes their gradients once.
    private static class Rounded<T>
        where T : unmanaged
    {
        private static readonly Dictionary<OptionsCase, OptionsCase> Known =
            Cases.ToDictionary(operands => operands, operands => operands.RoundedTo<T>());

        public static OptionsCase Of(OptionsCase operands) => Known[operands];
    }
}
