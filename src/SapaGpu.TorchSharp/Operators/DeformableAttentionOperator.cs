using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Deformable attention of query, key, value and offsets.</summary>
internal sealed class DeformableAttentionOperator(DeformableAttentionOptions options) : Operator
{
    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var query = TorchMemory.Wrap<T>(inputs[0]!);
        using var key = TorchMemory.Wrap<T>(inputs[1]!);
        using var value = TorchMemory.Wrap<T>(inputs[2]!);
        using var offsets = TorchMemory.Wrap<T>(inputs[3]!);
        var shape = new MapShape(
            value.Shape.Batch, value.Shape.Channels, offsets.Shape.Height, offsets.Shape.Width);
        var result = TorchMemory.Create(shape, value.Format, inputs[0]!.dtype, inputs[0]!.device);
        using var output = TorchMemory.Wrap<T>(result);
        DeformableAttention.Forward(query, key, value, offsets, output, options);
        saved?.AddRange(inputs.OfType<torch.Tensor>());
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var query = TorchMemory.Wrap<T>(saved[0]);
        using var key = TorchMemory.Wrap<T>(saved[1]);
        using var value = TorchMemory.Wrap<T>(saved[2]);
        using var offsets = TorchMemory.Wrap<T>(saved[3]);
        torch.Tensor?[] gradients = [.. saved.Select((operand, i) => Room(wanted[i], operand))];
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var gradQuery = WrapRoom<T>(gradients[0]);
        using var gradKey = WrapRoom<T>(gradients[1]);
        using var gradValue = WrapRoom<T>(gradients[2]);
        using var gradOffsets = WrapRoom<T>(gradients[3]);
        DeformableAttention.Backward(
            query, key, value, offsets, gradient, gradQuery, gradKey, gradValue, gradOffsets, options);
        return gradients;
    }
}
