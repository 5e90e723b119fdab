using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>
/// Gradients of autograd against central differences, in double precision, along random directions and by element.
/// </summary>
internal static class GradientCheck
{
    private const double Step = 1e-5;
    private const double Tolerance = 1e-7;

    /// <summary>Checks the gradient of every input that wants one.</summary>
    public static void Run(Func<torch.Tensor[], torch.Tensor> function, params torch.Tensor[] inputs)
    {
        using var scope = torch.NewDisposeScope();
        var output = function(inputs);
        var weights = torch.randn_like(output);
        output.backward([weights]);
        for (int i = 0; i < inputs.Length; i++)
        {
            if (!inputs[i].requires_grad)
                continue;
            var gradient = inputs[i].grad;
            Assert.That(gradient, Is.Not.Null, $"input {i} has no gradient");
            for (long element = 0; element < inputs[i].numel(); element++)
            {
                using var step = torch.NewDisposeScope();
                using var unrecorded = torch.no_grad();
                double expected = (Value(element, i, Step) - Value(element, i, -Step)) / (2 * Step);
                double actual = gradient!.reshape(-1)[element].item<double>();
                Assert.That(
                    actual,
                    Is.EqualTo(expected).Within(Tolerance * Math.Max(1, Math.Abs(expected))),
                    $"element {element} of input {i}");
            }
        }

        double Value(long element, int input, double step)
        {
            torch.Tensor[] moved = [.. inputs];
            moved[input] = inputs[input].detach().clone();
            moved[input].view(-1)[element] += step;
            return (function(moved) * weights).sum().item<double>();
        }
    }
}
