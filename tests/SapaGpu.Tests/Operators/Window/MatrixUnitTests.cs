using NUnit.Framework;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// Window attention in 16 bits on devices with matrix units, which round weights to 16 bits as the composition of a
/// framework does: no less accurate than it, in every window, at edges of tiles, in bands.
/// </summary>
[TestFixture(typeof(Half))]
[TestFixture(typeof(BFloat16))]
public sealed class MatrixUnitTests<T>
    where T : unmanaged
{
    private const string Device = "cuda";

    // Channels in whole eights: more than are staged at once, and the last ones fewer.
    private static readonly (int Embedding, int Value) Channels = (72, 136);

    // The two types in turns: they differ in conversions only.
    private static int First => typeof(T) == typeof(Half) ? 0 : 1;

    private static IEnumerable<(int Window, int Scale, MemoryFormat Format)> Problems
    {
        get
        {
            (int Window, int Scale)[] windows = [(3, 2), (5, 2), (7, 2), (5, 3)];
            var all =
                from window in windows
                from format in Enum.GetValues<MemoryFormat>()
                select (window.Window, window.Scale, format);
            return all.Where((_, i) => TestPart.Includes(i + 2 * First, turns: 4));
        }
    }

    private static IEnumerable<MemoryFormat> Formats =>
        Enum.GetValues<MemoryFormat>().Where((_, i) => TestPart.Includes(i + First, turns: 2));

    [Test]
    [DeviceGrid]
    public void Results_are_as_accurate_as_the_composition(
        [ValueSource(nameof(Problems))] (int Window, int Scale, MemoryFormat Format) problem)
    {
        var opened = TestDevices.Open(Device);
        var operands = Case(5, 6, problem.Window, problem.Scale);
        var exact = new NaiveAttention<double>(operands, value => value).Run();
        var naive = new NaiveAttention<float>(
            operands, value => (float)ElementTypes.ToDouble(ElementTypes.FromDouble<T>(value))).Run();
        double[][] actual = AttentionRun.Of<T>(opened, operands, problem.Format);
        using (Assert.EnterMultipleScope())
        {
            Check(0, "output");
            Check(1, "gradient of the query");
            Check(2, "gradient of the key");
            Check(3, "gradient of the value");
        }

        void Check(int result, string name) => Assert.That(
            AttentionRun.LargestError(actual[result], exact[result]),
            Is.LessThanOrEqualTo(2 * AttentionRun.LargestError(naive[result], exact[result])),
            $"{name}, against twice the composition's error");
    }

    // A workspace for a few rows cuts tiles of the second pass elsewhere.
    [Test]
    [DeviceGrid]
    public void Bands_do_not_change_a_bit([ValueSource(nameof(Formats))] MemoryFormat format)
    {
        var operands = Case(17, 12, 5, 2);
        double[][] expected = AttentionRun.Of<T>(TestDevices.Open(Device), operands, format);
        using var small = TestDevices.OpenAnew(Device, new DeviceOptions { WorkspaceBytes = 1 << 14 });
        double[][] actual = AttentionRun.Of<T>(small, operands, format);
        for (int i = 0; i < expected.Length; i++)
            Assert.That(actual[i], Is.EqualTo(expected[i]), $"result {i}");
    }

    // Maps whose channels are no whole eights, or lie where eight are no aligned access, are not read eight at a time.
    [Test]
    [DeviceGrid]
    public void Channels_that_are_no_whole_eights_are_right(
        [Values(4, 12, 7)] int channels, [ValueSource(nameof(Formats))] MemoryFormat format)
    {
        var opened = TestDevices.Open(Device);
        var operands = new OptionsCase(
            new WindowShape(1, 3, 5, 3, 2, channels, channels), new() { Window = 3 }).RoundedTo<T>();
        var exact = new NaiveAttention<double>(operands, value => value).Run();
        double[][] actual = AttentionRun.Of<T>(opened, operands, format);
        for (int i = 0; i < exact.Length; i++)
            Assert.That(AttentionRun.LargestError(actual[i], exact[i]), Is.LessThanOrEqualTo(0.03), $"result {i}");
    }

    private static OptionsCase Case(int height, int width, int window, int scale) => new OptionsCase(
        new WindowShape(2, height, width, window, scale, Channels.Embedding, Channels.Value),
        new() { Window = window }).RoundedTo<T>();
}
