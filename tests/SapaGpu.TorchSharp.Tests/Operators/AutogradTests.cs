using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Operators;

/// <summary>What users of autograd rely on.</summary>
[TestFixture]
public sealed class AutogradTests
{
    [SetUp]
    public void Seed() => torch.manual_seed(5);

    [Test]
    public void Gradients_are_computed_for_the_inputs_that_want_them([Range(1, 7)] int wanted)
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        query.requires_grad = (wanted & 1) != 0;
        key.requires_grad = (wanted & 2) != 0;
        value.requires_grad = (wanted & 4) != 0;
        SapaFunctional.WindowAttention(query, key, value).sum().backward();
        Assert.That(query.grad is not null, Is.EqualTo(query.requires_grad));
        Assert.That(key.grad is not null, Is.EqualTo(key.requires_grad));
        Assert.That(value.grad is not null, Is.EqualTo(value.requires_grad));
    }

    [Test]
    public void Nothing_is_recorded_without_gradients()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        using (torch.no_grad())
            Assert.That(SapaFunctional.WindowAttention(query, key, value).requires_grad, Is.False);
        Assert.That(
            SapaFunctional.WindowAttention(query.detach(), key.detach(), value.detach()).requires_grad, Is.False);
        Assert.That(SapaFunctional.WindowAttention(query, key, value).requires_grad, Is.True);
    }

    [Test]
    public void Gradients_of_two_uses_of_an_output_add_up()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        var output = SapaFunctional.WindowAttention(query, key, value);
        (output.sum() + (output * output).sum()).backward();
        var copy = Maps.Copy(query);
        var expected = Composition.Attention(copy, key.detach(), value.detach());
        (expected.sum() + (expected * expected).sum()).backward();
        Assert.That(Maps.Error(query.grad, copy.grad), Is.LessThan(1e-11));
    }

    [Test]
    public void One_tensor_may_be_several_operands()
    {
        using var scope = torch.NewDisposeScope();
        var map = Maps.Random(1, 4, 5, 6);
        var copy = Maps.Copy(map);
        SapaFunctional.WindowAttention(map, map, map).pow(2).sum().backward();
        Composition.Attention(copy, copy, copy).pow(2).sum().backward();
        Assert.That(Maps.Error(map.grad, copy.grad), Is.LessThan(1e-11));
    }

    [Test]
    public void A_retained_graph_can_be_walked_again()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        var loss = SapaFunctional.WindowAttention(query, key, value).pow(2).sum();
        torch.autograd.backward(loss, retain_graph: true);
        var first = query.grad!.clone();
        torch.autograd.backward(loss);
        Assert.That(Maps.Error(query.grad, 2 * first), Is.Zero);
    }

    [Test]
    public void Strides_of_any_kind_are_accepted()
    {
        using var scope = torch.NewDisposeScope();
        var leaf = Maps.Random(1, 20, 10, 12);
        var copy = Maps.Copy(leaf);
        var (_, key, value) = Operands();

        // Every second channel of a map whose rows and columns are exchanged; the gradient of the sum has strides of 0.
        static torch.Tensor Strange(torch.Tensor map) => map.slice(1, 0, 16, 2).transpose(2, 3);
        SapaFunctional.WindowAttention(Strange(leaf), key, value).sum().backward();
        Composition.Attention(Strange(copy), key.detach(), value.detach()).sum().backward();
        Assert.That(Maps.Error(leaf.grad, copy.grad), Is.LessThan(1e-11));
    }

    [Test]
    public void Types_are_promoted()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        var half = query.to_type(torch.float16);
        Assert.That(
            SapaFunctional.WindowAttention(half, half.slice(2, 0, 5, 1), half.slice(2, 0, 5, 1)).dtype,
            Is.EqualTo(torch.float16));
        Assert.That(
            SapaFunctional.WindowAttention(half, key.to_type(torch.float32), value.to_type(torch.float32)).dtype,
            Is.EqualTo(torch.float32));
        SapaFunctional.WindowAttention(half, key, value).sum().backward();
        Assert.That(query.grad!.dtype, Is.EqualTo(torch.float64));
    }

    [Test]
    public void A_change_in_place_is_noticed_and_autograd_stays_usable()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        var changed = query * 1;
        var output = SapaFunctional.WindowAttention(changed, key, value);
        changed.add_(1);
        Assert.That(() => output.sum().backward(), Throws.Exception);
        Assert.That(SapaAutograd.LastError?.Message, Does.Contain("inplace"));
        query.grad?.zero_();
        SapaFunctional.WindowAttention(query, key, value).sum().backward();
        Assert.That(query.grad, Is.Not.Null);
    }

    [Test]
    public void A_second_derivative_fails_instead_of_being_zero()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        var output = SapaFunctional.WindowAttention(query, key, value);
        torch.autograd.backward(output.pow(2).sum(), create_graph: true);
        var penalty = query.grad!.pow(2).sum();
        Assert.That(() => penalty.backward(), Throws.Exception);
        Assert.That(SapaAutograd.LastError, Is.InstanceOf<NotSupportedException>());
    }

    [Test]
    public void An_error_in_the_forward_leaves_autograd_usable()
    {
        using var scope = torch.NewDisposeScope();
        var (query, key, value) = Operands();
        for (int i = 0; i < 3; i++)
        {
            Assert.That(
                () => SapaFunctional.WindowAttention(query, key.slice(1, 0, 3, 1), value),
                Throws.ArgumentException.With.Message.Contains("query"));
        }
        SapaFunctional.WindowAttention(query, key, value).sum().backward();
        Assert.That(query.grad, Is.Not.Null);
    }

    [Test]
    public void Threads_do_not_disturb_each_other()
    {
        var (query, key, value) = Operands();
        SapaFunctional.WindowAttention(query, key, value).pow(2).sum().backward();
        var expected = query.grad!.clone();
        var errors = new double[8];
        Parallel.For(0, errors.Length, i =>
        {
            using var scope = torch.NewDisposeScope();
            for (int repetition = 0; repetition < 20; repetition++)
            {
                var own = Maps.Copy(query);
                SapaFunctional.WindowAttention(own, key.detach(), value.detach()).pow(2).sum().backward();
                errors[i] = Math.Max(errors[i], Maps.Error(own.grad, expected));
            }
        });
        Assert.That(errors, Is.All.Zero);
    }

    private static (torch.Tensor Query, torch.Tensor Key, torch.Tensor Value) Operands() =>
        (Maps.Random(1, 8, 12, 10), Maps.Random(1, 8, 6, 5), Maps.Random(1, 6, 6, 5));
}
