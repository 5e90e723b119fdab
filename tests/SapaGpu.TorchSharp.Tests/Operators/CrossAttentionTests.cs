using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>Cross-resolution attention: gradients beside a composition, second derivatives, formats, types, errors.</summary>
[TestFixture]
public sealed class CrossAttentionTests
{
    private const int Height = 3;
    private const int Width = 4;
    private const int OutputHeight = 5;
    private const int OutputWidth = 6;

    private static readonly CrossAttentionOptions TwoHeads = new() { Heads = 2, ScoreScale = 0.7 };
    private static readonly CrossAttentionOptions Averaged = TwoHeads with { AveragesHeads = true };

    private static IEnumerable<TestCaseData> Kinds()
    {
        (string Name, WindowRanges Ranges)[] ranges =
        [
            ("shifted", Window(BorderRule.Shifted)),
            ("masked", Window(BorderRule.Masked)),
            ("ratio", WindowRanges.Ratio(Height, Width, OutputHeight, OutputWidth, 0.2f)),
            ("whole", WindowRanges.Whole(Height, Width, OutputHeight, OutputWidth)),
        ];
        foreach (var (name, range) in ranges)
        {
            yield return new TestCaseData(range, TwoHeads, false).SetArgDisplayNames(name);
            yield return new TestCaseData(range, Averaged, true).SetArgDisplayNames($"{name}, averaged, bias");
        }
        foreach (var normalisation in new[] { ScoreNormalisation.Sigmoid, ScoreNormalisation.None })
        {
            yield return new TestCaseData(Window(BorderRule.Masked), TwoHeads with { Normalisation = normalisation }, true)
                .SetArgDisplayNames($"masked, bias, {normalisation}");
            yield return new TestCaseData(Window(BorderRule.Shifted), Averaged with { Normalisation = normalisation }, false)
                .SetArgDisplayNames($"shifted, averaged, {normalisation}");
        }
    }

    // Shifted, masked with averaged heads and a bias, the whole map; then the other normalisations.
    private static IEnumerable<TestCaseData> SomeKinds() => Kinds().Where((_, index) => index > 7 || index % 3 == 0);

    [SetUp]
    public void Seed() => torch.manual_seed(7);

    [TestCaseSource(nameof(Kinds))]
    public void Output_and_gradients_are_those_of_the_composition(
        WindowRanges ranges, CrossAttentionOptions options, bool hasBias)
    {
        using var scope = torch.NewDisposeScope();
        var own = Operands(hasBias);
        torch.Tensor[] copies = [.. own.Select(Maps.Copy)];
        var output = Call(own, ranges, options);
        var expected = Composition.CrossAttention(
            copies[0], copies[1], copies[2], ranges, options, copies.ElementAtOrDefault(3));
        Assert.That(Maps.Error(output, expected), Is.LessThan(1e-12));
        var gradient = torch.randn_like(expected);
        output.backward([gradient]);
        expected.backward([gradient]);
        for (int i = 0; i < own.Length; i++)
            Assert.That(Maps.Error(own[i].grad, copies[i].grad), Is.LessThan(1e-11), $"input {i}");
    }

    [Test]
    public void A_border_with_taps_outside_is_that_of_window_attention(
        [Values(BorderRule.ZeroLogit, BorderRule.Replicate)] BorderRule border, [Values] ScoreNormalisation normalisation)
    {
        using var scope = torch.NewDisposeScope();
        var own = Operands(hasBias: false);
        torch.Tensor[] copies = [.. own.Select(Maps.Copy)];
        var ranges = WindowRanges.Window(Height, Width, OutputHeight, OutputWidth, 3, 3, border);
        var output = Call(own, ranges, new CrossAttentionOptions { Heads = 2, Normalisation = normalisation });
        var expected = SapaFunctional.WindowAttention(
            copies[0],
            copies[1],
            copies[2],
            new WindowAttentionOptions { Window = 3, Border = border, Heads = 2, Normalisation = normalisation });
        Assert.That(Maps.Error(output, expected), Is.LessThan(1e-12));
        output.pow(2).sum().backward();
        expected.pow(2).sum().backward();
        for (int i = 0; i < own.Length; i++)
            Assert.That(Maps.Error(own[i].grad, copies[i].grad), Is.LessThan(1e-11), $"input {i}");
    }

    [TestCaseSource(nameof(SomeKinds))]
    public void Second_derivatives_are_central_differences(
        WindowRanges ranges, CrossAttentionOptions options, bool hasBias) => GradientCheck.Run(
        maps => FirstDerivatives(maps, ranges, options),
        [.. Operands(hasBias, batch: 1), Maps.Random(1, 4, OutputHeight, OutputWidth)]);

    [Test]
    public void Second_derivatives_are_those_of_the_composition_where_one_gradient_is_used(
        [Range(0, 3)] int used, [Values] ScoreNormalisation normalisation)
    {
        using var scope = torch.NewDisposeScope();
        var options = TwoHeads with { Normalisation = normalisation };
        var ranges = Window(BorderRule.Masked);
        var own = Operands(hasBias: true);
        torch.Tensor[] copies = [.. own.Select(Maps.Copy)];
        Penalty(Call(own, ranges, options), own[used]).backward();
        Penalty(
            Composition.CrossAttention(copies[0], copies[1], copies[2], ranges, options, copies[3]), copies[used]).backward();
        for (int i = 0; i < own.Length; i++)
            Assert.That(Maps.Error(own[i].grad, copies[i].grad), Is.LessThan(1e-10), $"input {i}");

        static torch.Tensor Penalty(torch.Tensor output, torch.Tensor input) =>
            torch.autograd.grad([output.pow(2).sum()], [input], retain_graph: true, create_graph: true)[0].pow(2).sum();
    }

    [Test]
    public void Second_derivatives_are_computed_for_the_inputs_that_want_them([Range(1, 15)] int wanted)
    {
        using var scope = torch.NewDisposeScope();
        var maps = Operands(hasBias: true);
        for (int i = 0; i < maps.Length; i++)
            maps[i].requires_grad = (wanted >> i & 1) != 0;
        torch.Tensor[] leaves = [.. maps.Where(map => map.requires_grad)];
        var output = Call(maps, Window(BorderRule.Shifted), TwoHeads);
        var first = torch.autograd.grad([output.pow(2).sum()], leaves, retain_graph: true, create_graph: true);
        first.Select(gradient => gradient.pow(2).sum()).Aggregate((left, right) => left + right).backward();
        foreach (var map in maps)
            Assert.That(map.grad is not null, Is.EqualTo(map.requires_grad));
    }

    [Test]
    public void A_third_derivative_fails_instead_of_being_zero()
    {
        using var scope = torch.NewDisposeScope();
        var maps = Operands(hasBias: false);
        var output = Call(maps, Window(BorderRule.Shifted), TwoHeads);
        var first = torch.autograd.grad([output.pow(2).sum()], [maps[0]], retain_graph: true, create_graph: true)[0];
        var second = torch.autograd.grad([first.pow(2).sum()], [maps[0]], retain_graph: true, create_graph: true)[0];
        Assert.That(() => second.sum().backward(), Throws.Exception);
        Assert.That(SapaAutograd.LastError, Is.InstanceOf<NotSupportedException>());
        Assert.That(SapaAutograd.LastError!.Message, Does.Contain("third"));
    }

    [Test]
    public void A_batch_of_none_has_second_derivatives_of_none()
    {
        using var scope = torch.NewDisposeScope();
        torch.Tensor[] maps = [.. Operands(hasBias: true).Select(map => Maps.Copy(map.slice(0, 0, 0, 1)))];
        var output = Call(maps, Window(BorderRule.Shifted), TwoHeads);
        var first = torch.autograd.grad([output.pow(2).sum()], maps, retain_graph: true, create_graph: true);
        first.Select(gradient => gradient.pow(2).sum()).Aggregate((left, right) => left + right).backward();
        foreach (var map in maps)
            Assert.That(map.grad?.shape, Is.EqualTo(map.shape));
    }

    [Test]
    public void Formats_and_types_give_the_same_values(
        [Values] bool isChannelsLast,
        [Values(torch.ScalarType.Float32, torch.ScalarType.Float16, torch.ScalarType.BFloat16)] torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        var rounded = Operands(hasBias: true).Select(map => map.detach().to_type(type)).ToArray();
        torch.Tensor[] own =
            [.. rounded.Select(map => Maps.Copy(isChannelsLast ? Maps.ChannelsLast(map) : map))];
        torch.Tensor[] exact = [.. rounded.Select(map => Maps.Copy(map.to_type(torch.float64)))];
        var ranges = Window(BorderRule.Shifted);
        var output = Call(own, ranges, TwoHeads);
        var expected = Call(exact, ranges, TwoHeads);
        Assert.That(output.dtype, Is.EqualTo(type));
        Assert.That(output.stride()[1] == 1, Is.EqualTo(isChannelsLast));
        double tolerance = type switch
        {
            torch.ScalarType.Float32 => 1e-5,
            torch.ScalarType.Float16 => 5e-3,
            _ => 4e-2,
        };
        Assert.That(Maps.Error(output, expected), Is.LessThan(tolerance));
        output.sum().backward();
        expected.sum().backward();
        for (int i = 0; i < own.Length; i++)
        {
            Assert.That(own[i].grad!.dtype, Is.EqualTo(type));
            Assert.That(Maps.Error(own[i].grad, exact[i].grad), Is.LessThan(4 * tolerance), $"input {i}");
        }
    }

    [Test]
    public void Ranges_of_other_sizes_are_an_error()
    {
        using var scope = torch.NewDisposeScope();
        var maps = Operands(hasBias: false);
        Assert.That(
            () => Call(maps, WindowRanges.Whole(Height, Width, OutputHeight, OutputWidth + 1), TwoHeads),
            Throws.ArgumentException.With.Message.Contains("create ranges for these sizes"));
        Assert.That(() => Call(maps, null!, TwoHeads), Throws.ArgumentNullException.With.Message.Contains("ranges"));
    }

    [Test]
    public void Biases_of_other_shapes_are_an_error()
    {
        using var scope = torch.NewDisposeScope();
        torch.Tensor[] maps = [.. Operands(hasBias: false), torch.zeros(2, 2, Height, Width)];
        Assert.That(
            () => Call(maps, Window(BorderRule.Shifted), TwoHeads),
            Throws.ArgumentException.With.Message.Contains("keyBias"));
    }

    private static WindowRanges Window(BorderRule border) =>
        WindowRanges.Window(Height, Width, OutputHeight, OutputWidth, 3, 2, border);

    private static torch.Tensor[] Operands(bool hasBias, long batch = 2)
    {
        torch.Tensor[] maps =
        [
            Maps.Random(batch, 6, OutputHeight, OutputWidth),
            Maps.Random(batch, 6, Height, Width),
            Maps.Random(batch, 4, Height, Width),
        ];
        return hasBias ? [.. maps, Maps.Random(batch, 1, Height, Width)] : maps;
    }

    private static torch.Tensor Call(torch.Tensor[] maps, WindowRanges ranges, CrossAttentionOptions options) =>
        SapaFunctional.CrossAttention(maps[0], maps[1], maps[2], ranges, options, maps.ElementAtOrDefault(3));

    // All first derivatives as one vector; the last map is the gradient of the output.
    private static torch.Tensor FirstDerivatives(
        torch.Tensor[] maps, WindowRanges ranges, CrossAttentionOptions options)
    {
        using var recorded = torch.enable_grad();
        foreach (var map in maps.Where(map => !map.requires_grad))
            map.requires_grad_();
        torch.Tensor[] inputs = maps[..^1];
        var gradients = torch.autograd.grad(
            [Call(inputs, ranges, options)], inputs, [maps[^1]], retain_graph: true, create_graph: true);
        return torch.cat([.. gradients.Select(gradient => gradient.reshape(-1))]);
    }
}
