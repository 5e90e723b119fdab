using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Makes derivatives beyond those that an operator has fail: gradients that were computed outside of autograd would
/// otherwise be treated as constants.
/// </summary>
internal sealed class OnceDifferentiable : torch.autograd.MultiTensorFunction<OnceDifferentiable>
{
    private const string CountKey = "count";
    private const string MessageKey = "message";

    /// <inheritdoc/>
    public override string Name => nameof(OnceDifferentiable);

    /// <summary>Makes gradients depend, for autograd, on the tensors that they were computed from.</summary>
    /// <param name="gradients">The gradients, which are replaced.</param>
    /// <param name="sources">The tensors that they were computed from.</param>
    /// <param name="message">The error where somebody differentiates them.</param>
    public static void Mark(torch.Tensor?[] gradients, IEnumerable<torch.Tensor> sources, string message)
    {
        torch.Tensor[] dependencies = [.. sources.Where(source => source.requires_grad)];
        if (dependencies.Length == 0)
            return;
        var marked = apply([new Results([.. gradients.OfType<torch.Tensor>()], dependencies.Length, message), .. dependencies]);
        int next = 0;
        for (int i = 0; i < gradients.Length; i++)
        {
            if (gradients[i] is not null)
                gradients[i] = marked[next++];
        }
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var results = (Results)vars[0];
        // The zeros that torch would fill in were disposed with the scope of this call.
        ctx.set_materialize_grads(false);
        ctx.save_data(CountKey, results.Dependencies);
        ctx.save_data(MessageKey, results.Message);
        return results.Gradients;
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, List<torch.Tensor> grad_outputs)
    {
        GradientKeeper.Release();
        foreach (var gradient in grad_outputs)
            gradient?.Dispose();
        var wanted = Enumerable.Repeat(true, (int)ctx.get_data(CountKey)).ToArray();
        var error = new NotSupportedException((string)ctx.get_data(MessageKey));
        return [null!, .. SapaAutograd.Fail(error, wanted).Select(gradient => gradient!)];
    }

    private sealed record Results(List<torch.Tensor> Gradients, int Dependencies, string Message);
}
