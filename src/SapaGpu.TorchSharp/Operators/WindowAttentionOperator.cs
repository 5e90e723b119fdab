using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Window attention of query, key and value.</summary>
internal sealed class WindowAttentionOperator(WindowAttentionOptions options) : Operator
{
    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var query = TorchMemory.Wrap<T>(inputs[0]!);
        using var key = TorchMemory.Wrap<T>(inputs[1]!);
        using var value = TorchMemory.Wrap<T>(inputs[2]!);
        var shapes = WindowAttention.Shapes(query, key, value, options);
        var first = inputs[0]!;
        var result = TorchMemory.Create(shapes.Output, value.Format, first.dtype, first.device);
        using var output = TorchMemory.Wrap<T>(result);
        if (saved is null)
        {
            WindowAttention.Forward(query, key, value, output, options);
            return result;
        }
        var normaliser = TorchMemory.Create(
            shapes.Normaliser, MemoryFormat.Contiguous, TorchTypes.Accumulator(first.dtype), first.device);
        using var context = new WindowAttentionContext<T>(
            query, key, value, TorchMemory.WrapAccumulator<T>(normaliser), options);
        WindowAttention.Forward(query, key, value, output, options, context);
        saved.AddRange([first, inputs[1]!, inputs[2]!, normaliser]);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var query = TorchMemory.Wrap<T>(saved[0]);
        using var key = TorchMemory.Wrap<T>(saved[1]);
        using var value = TorchMemory.Wrap<T>(saved[2]);
        using var context = new WindowAttentionContext<T>(
            query, key, value, TorchMemory.WrapAccumulator<T>(saved[3]), options);
        torch.Tensor?[] gradients =
            [Room(wanted[0], saved[0]), Room(wanted[1], saved[1]), Room(wanted[2], saved[2])];
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var gradQuery = WrapRoom<T>(gradients[0]);
        using var gradKey = WrapRoom<T>(gradients[1]);
        using var gradValue = WrapRoom<T>(gradients[2]);
        WindowAttention.Backward(context, gradient, gradQuery, gradKey, gradValue);
        return gradients;
    }
}
