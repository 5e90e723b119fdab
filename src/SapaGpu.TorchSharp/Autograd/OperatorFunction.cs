using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The autograd function behind every operator.</summary>
internal sealed class OperatorFunction : torch.autograd.SingleTensorFunction<OperatorFunction>
{
    private const string CallKey = "call";
    private const string NoSecondDerivatives =
        "This operator of SapaGpu has no second derivatives; do not differentiate its gradients.";

    /// <inheritdoc/>
    public override string Name => nameof(OperatorFunction);

    /// <summary>Computes an operator, recorded by autograd if an input requires a gradient.</summary>
    /// <param name="call">The operator.</param>
    /// <param name="inputs">Its inputs; null for those that are left out.</param>
    public static torch.Tensor Run(Operator call, params torch.Tensor?[] inputs)
    {
        GradientKeeper.Release();
        if (EmptyBatchOperator.Suits(inputs))
            call = new EmptyBatchOperator(call);
        bool[] wanted = Array.ConvertAll(inputs, input => input is not null && input.requires_grad);
        bool isRecorded = torch.is_grad_enabled() && wanted.Contains(true);
        using var scope = torch.NewDisposeScope();
        // Everything that can fail happens before the node of the graph is created.
        List<torch.Tensor>? saved = isRecorded ? [] : null;
        torch.Tensor output;
        using (torch.no_grad())
            output = call.Forward(inputs, saved);
        if (saved is not null)
            output = apply([new Call(call, output, saved, wanted), .. inputs]);
        return output.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override torch.Tensor forward(torch.autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        ctx.save_for_backward(call.Saved);
        ctx.save_data(CallKey, call with { Output = null!, Saved = null! });
        return call.Output;
    }

    /// <inheritdoc/>
    public override List<torch.Tensor> backward(torch.autograd.AutogradContext ctx, torch.Tensor grad_output)
    {
        GradientKeeper.Release();
        var call = (Call)ctx.get_data(CallKey);
        torch.Tensor?[] gradients;
        try
        {
            using var scope = torch.NewDisposeScope();
            var saved = ctx.get_saved_variables();
            bool isRecorded = torch.is_grad_enabled();
            var gradOutput = TensorOperands.Dense(grad_output);
            using (torch.no_grad())
                gradients = call.Operator.Backward(saved, gradOutput, call.Wanted);
            if (isRecorded && call.Operator.IsTwiceDifferentiable)
                BackwardFunction.Record(call.Operator, gradients, gradOutput, saved);
            else if (isRecorded)
                OnceDifferentiable.Mark(gradients, [gradOutput, .. saved], NoSecondDerivatives);
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
            grad_output.Dispose();
        }
        // The call itself is the first argument and has no gradient.
        return [null!, .. gradients.Select(gradient => gradient!)];
    }

    private sealed record Call(Operator Operator, torch.Tensor Output, List<torch.Tensor> Saved, bool[] Wanted);
}
