using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>Every function's gradient with respect to every input by central differences in double precision.</summary>
[TestFixture]
public sealed class GradientTests
{
    [SetUp]
    public void Seed() => torch.manual_seed(3);

    [Test]
    public void Window_attention([Values] BorderRule border, [Values] ScoreNormalisation normalisation)
    {
        var options = new WindowAttentionOptions { Window = 3, Border = border, Normalisation = normalisation };
        GradientCheck.Run(
            t => SapaFunctional.WindowAttention(t[0], t[1], t[2], options),
            Maps.Random(1, 3, 6, 8),
            Maps.Random(1, 3, 3, 4),
            Maps.Random(1, 2, 3, 4));
    }

    [Test]
    public void Window_attention_of_heads_at_an_uneven_ratio() => GradientCheck.Run(
        t => SapaFunctional.WindowAttention(t[0], t[1], t[2], new WindowAttentionOptions { Heads = 2 }),
        Maps.Random(2, 4, 5, 7),
        Maps.Random(2, 4, 2, 3),
        Maps.Random(2, 2, 2, 3));

    [Test]
    public void Window_similarity() => GradientCheck.Run(
        t => SapaFunctional.WindowSimilarity(t[0], t[1], new WindowAttentionOptions { Window = 3 }),
        Maps.Random(1, 3, 4, 6),
        Maps.Random(1, 3, 2, 3));

    [Test]
    public void Window_reassembly() => GradientCheck.Run(
        t => SapaFunctional.WindowReassembly(t[0], t[1]), Maps.Random(1, 9, 4, 6), Maps.Random(1, 3, 2, 3));

    [Test]
    public void Carafe_of_groups() => GradientCheck.Run(
        t => SapaFunctional.Carafe(t[0], t[1], window: 3, groups: 2),
        Maps.Random(1, 4, 2, 3),
        Maps.Random(1, 18, 4, 6));

    [Test]
    public void Deformable_attention() => GradientCheck.Run(
        t => SapaFunctional.DeformableAttention(
            t[0], t[1], t[2], t[3], new DeformableAttentionOptions { Groups = 2, Points = 3 }),
        Maps.Random(1, 4, 4, 6),
        Maps.Random(1, 4, 2, 3),
        Maps.Random(1, 2, 2, 3),
        // Away from whole coordinates, where the derivative jumps.
        (torch.rand([1, 12, 4, 6], torch.float64) * 0.8 - 0.9).requires_grad_());

    [Test]
    public void Interpolation([Values] InterpolationMode mode) => GradientCheck.Run(
        t => SapaFunctional.Interpolate(t[0], 5, 7, mode), Maps.Random(1, 2, 2, 3));

    [Test]
    public void Projection_with_and_without_normalisation()
    {
        GradientCheck.Run(
            t => SapaFunctional.Projection(t[0], t[1], t[2], t[3], t[4]),
            Maps.Random(2, 5, 2, 3),
            torch.randn([4, 5], torch.float64).requires_grad_(),
            torch.randn([4], torch.float64).requires_grad_(),
            torch.randn([5], torch.float64).requires_grad_(),
            torch.randn([5], torch.float64).requires_grad_());
        GradientCheck.Run(
            t => SapaFunctional.Projection(t[0], t[1]),
            Maps.Random(2, 5, 2, 3),
            torch.randn([4, 5, 1, 1], torch.float64).requires_grad_());
    }

    [Test]
    public void Normalisation([Values(0, 2)] int groups) => GradientCheck.Run(
        t => SapaFunctional.FeatureNorm(t[0], t[1], t[2], groups),
        Maps.Random(2, 4, 2, 3),
        torch.randn([4], torch.float64).requires_grad_(),
        torch.randn([4], torch.float64).requires_grad_());

    [Test]
    public void Blend_of_queries([Values] bool hasGate) => GradientCheck.Run(
        t => SapaFunctional.QueryBlend(t[0], t[1], hasGate ? t[2] : null),
        hasGate
            ? [Maps.Random(1, 3, 4, 6), Maps.Random(1, 3, 2, 3), Maps.Random(1, 1, 2, 3)]
            : [Maps.Random(1, 3, 4, 6), Maps.Random(1, 3, 2, 3)]);
}
