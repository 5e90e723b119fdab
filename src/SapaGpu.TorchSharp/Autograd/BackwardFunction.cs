using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// The autograd function behind the backward of an operator that is twice differentiable. It makes gradients depend on what
/// they were computed from: the gradient of the output, and what the forward saved.
/// </summary>
internal sealed class BackwardFunction : torch.autograd.MultiTensorFunction<BackwardFunction>
{
    private const string CallKey = "call";
    private const string NoThirdDerivatives =
        "The operators of SapaGpu have no third derivatives; do not differentiate their second ones.";

    /// <inheritdoc/>
    public override string Name => nameof(BackwardFunction);

    /// <summary>Records how gradients were computed, if one of their sources requires a gradient.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="gradients">The gradients of its inputs, which are replaced.</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="saved">What the forward saved.</param>
    public static void Record(
        Operator operation, torch.Tensor?[] gradients, torch.Tensor gradOutput, IReadOnlyList<torch.Tensor> saved)
    {
        torch.Tensor[] sources = [gradOutput, .. saved];
        bool[] wanted = Array.ConvertAll(sources, source => source.requires_grad);
        if (!wanted.Contains(true))
            return;
        bool[] computed = Array.ConvertAll(gradients, gradient => gradient is not null);
        var recorded = apply(
            [new Call(operation, [.. gradients.OfType<torch.Tensor>()], computed, wanted), .. sources]);
        int next = 0;
        for (int i = 0; i < gradients.Length; i++)
        {
            if (computed[i])
                gradients[i] = recorded[next++];
        }
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        // A gradient that nobody differentiates is undefined instead of zeros, and the operator leaves it out.
        ctx.set_materialize_grads(false);
        ctx.save_for_backward([.. vars.Skip(1).Cast<torch.Tensor>()]);
        ctx.save_data(CallKey, call with { Gradients = null! });
        return call.Gradients;
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, List<torch.Tensor> grad_outputs)
    {
        GradientKeeper.Release();
        var call = (Call)ctx.get_data(CallKey);
        torch.Tensor?[] gradients;
        try
        {
            using var scope = torch.NewDisposeScope();
            var sources = ctx.get_saved_variables();
            var saved = sources.Skip(1).ToArray();
            var directions = Directions(call, grad_outputs);
            bool isRecorded = torch.is_grad_enabled();
            using (torch.no_grad())
                gradients = call.Operator.DoubleBackward(saved, sources[0], directions, call.Wanted);
            if (isRecorded)
                OnceDifferentiable.Mark(gradients, [.. sources, .. directions.OfType<torch.Tensor>()], NoThirdDerivatives);
            foreach (var gradient in gradients)
            {
                if (gradient is not null)
                    GradientKeeper.Keep(gradient);
            }
        }
        catch (Exception error)
        {
            gradients = SapaAutograd.Fail(error, call.Wanted);
        }
        finally
        {
            foreach (var direction in grad_outputs)
                direction?.Dispose();
        }
        // The call itself is the first argument and has no gradient.
        return [null!, .. gradients.Select(gradient => gradient!)];
    }

    // One for every input of the operator; what came is one for every gradient that was computed.
    private static torch.Tensor?[] Directions(Call call, List<torch.Tensor> given)
    {
        int next = 0;
        return Array.ConvertAll(
            call.Computed,
            isComputed => isComputed && given[next++] is { IsInvalid: false } direction ? TensorOperands.Dense(direction) : null);
    }

    private sealed record Call(Operator Operator, List<torch.Tensor> Gradients, bool[] Computed, bool[] Wanted);
}
