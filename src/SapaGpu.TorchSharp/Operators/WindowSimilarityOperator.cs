using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The scores of query and key.</summary>
internal sealed class WindowSimilarityOperator(WindowAttentionOptions options) : Operator
{
    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var query = TorchMemory.Wrap<T>(inputs[0]!);
        using var key = TorchMemory.Wrap<T>(inputs[1]!);
        var shape = WindowSimilarity.ScoresShape(query, key, options);
        var result = TorchMemory.Create(shape, query.Format, inputs[0]!.dtype, inputs[0]!.device);
        using var scores = TorchMemory.Wrap<T>(result);
        WindowSimilarity.Forward(query, key, scores, options);
        saved?.AddRange([inputs[0]!, inputs[1]!]);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var query = TorchMemory.Wrap<T>(saved[0]);
        using var key = TorchMemory.Wrap<T>(saved[1]);
        torch.Tensor?[] gradients = [Room(wanted[0], saved[0]), Room(wanted[1], saved[1])];
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var gradQuery = WrapRoom<T>(gradients[0]);
        using var gradKey = WrapRoom<T>(gradients[1]);
        WindowSimilarity.Backward(query, key, gradient, gradQuery, gradKey, options);
        return gradients;
    }
}
