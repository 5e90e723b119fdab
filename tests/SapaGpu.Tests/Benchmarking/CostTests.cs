using NUnit.Framework;
using SapaGpu.Workloads;

namespace SapaGpu.Tests.Benchmarking;

/// <summary>Operations and bytes against numbers worked out by hand.</summary>
public sealed class CostTests
{
    // W0: 120·120 = 14,400 cells, 57,600 queries, 1,440,000 taps; 3,686,400 values of query and of value, 921,600 of
    // key, 14,745,600 of output.
    private static readonly Stage W0 = Workload.W0.Stages[0];

    [Test]
    public void Attention_of_W0()
    {
        Assert.That(Cost.AttentionForward(W0, sizeof(float)), Is.EqualTo(new Cost(921_600_000, 92_160_000)));
        Assert.That(Cost.AttentionBackward(W0, sizeof(float)), Is.EqualTo(new Cost(2_027_520_000, 125_337_600)));
    }

    [Test]
    public void Sapa_of_W0()
    {
        // Projections to 64 of 256 channels of 72,000 pixels: 2,359,296,000 operations. The inner product compares all
        // 256.
        AssertCosts(Operator.SapaB, new Cost(3_280_896_000, 132_710_400), new Cost(6_746_112_000, 206_438_400));
        AssertCosts(Operator.SapaI, new Cost(1_474_560_000, 132_710_400), new Cost(3_686_400_000, 206_438_400));

        // One projection of the decoder map more, 471,859,200, the gate, 7,372,800, and the mixture, 11,059,200.
        AssertCosts(Operator.SapaG, new Cost(3_771_187_200, 132_710_400), new Cost(7_726_694_400, 206_438_400));
    }

    [Test]
    public void Points_of_W0()
    {
        // 57,600 queries of 9 points in 4 groups: 4,147,200 offsets.
        AssertCosts(
            Operator.Deformable, new Cost(1_658_880_000, 108_748_800), new Cost(5_308_416_000, 158_515_200));

        // Each offset is the sum over 256 channels, 2,123,366,400 operations, beside the projections of SAPA-B.
        AssertCosts(
            Operator.SapaD, new Cost(6_141_542_400, 132_710_400), new Cost(14_273_740_800, 206_438_400));
    }

    [Test]
    public void Reassembly_of_W0()
    {
        AssertCosts(Operator.Carafe, new Cost(737_280_000, 79_488_000), new Cost(1_474_560_000, 99_993_600));

        // A 1x1 convolution of 256 to 64 channels and a 3x3 one of 64 to 100, of 14,400 cells.
        AssertCosts(
            Operator.CarafeModule, new Cost(2_868_019_200, 73_728_000), new Cost(5_736_038_400, 88_473_600));
    }

    [Test]
    public void Interpolation_of_W0()
    {
        AssertCosts(Operator.Bilinear, new Cost(88_473_600, 73_728_000), new Cost(88_473_600, 73_728_000));
        AssertCosts(Operator.Nearest, new Cost(0, 73_728_000), new Cost(0, 73_728_000));
    }

    [Test]
    public void Sixteen_bits_halve_the_bytes()
    {
        foreach (var kind in Enum.GetValues<Operator>())
        {
            var wide = Cost.Of(kind, Pass.Backward, Workload.W0, ElementType.Float32);
            var narrow = Cost.Of(kind, Pass.Backward, Workload.W0, ElementType.BFloat16);
            Assert.That(narrow, Is.EqualTo(wide with { Bytes = wide.Bytes / 2 }), $"{kind}");
        }
    }

    [Test]
    public void Stages_add_up()
    {
        // The stages of the pyramid have 1,050, 4,200 and 16,800 cells, 22,050 together.
        var cost = Cost.Of(Operator.WindowAttention, Pass.Forward, Workload.Find("fpn"), ElementType.Float32);
        Assert.That(cost.Operations, Is.EqualTo(22_050 * 4 * 25 * 2.0 * (64 + 256)));
        Assert.That(cost.Bytes, Is.EqualTo(22_050 * 4.0 * (4 * 64 + 64 + 256 + 4 * 256)));
    }

    [Test]
    public void Limit_that_takes_longer_binds()
    {
        var limits = new DeviceLimits(FmaGflops: 100, CopyGBps: 10);
        Assert.That(new Cost(1e9, 0.05e9).Floor(limits), Is.EqualTo((0.01, Limit.Fma)));
        Assert.That(new Cost(1e9, 0.2e9).Floor(limits), Is.EqualTo((0.02, Limit.Copy)));
    }

    private static void AssertCosts(Operator kind, Cost forward, Cost backward)
    {
        Assert.That(Cost.Of(kind, Pass.Forward, W0, sizeof(float)), Is.EqualTo(forward), $"{kind}, forward");
        Assert.That(Cost.Of(kind, Pass.Backward, W0, sizeof(float)), Is.EqualTo(backward), $"{kind}, backward");
    }
}
