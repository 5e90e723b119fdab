using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Reassembly of a value with given weights.</summary>
internal sealed class WindowReassemblyOperator(WindowAttentionOptions? options) : Operator
{
    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var weights = TorchMemory.Wrap<T>(inputs[0]!);
        using var value = TorchMemory.Wrap<T>(inputs[1]!);
        var shape = WindowReassembly.OutputShape(weights, value, options);
        var result = TorchMemory.Create(shape, value.Format, inputs[0]!.dtype, inputs[0]!.device);
        using var output = TorchMemory.Wrap<T>(result);
        WindowReassembly.Forward(weights, value, output, options);
        saved?.AddRange([inputs[0]!, inputs[1]!]);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var weights = TorchMemory.Wrap<T>(saved[0]);
        using var value = TorchMemory.Wrap<T>(saved[1]);
        torch.Tensor?[] gradients = [Room(wanted[0], saved[0]), Room(wanted[1], saved[1])];
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var gradWeights = WrapRoom<T>(gradients[0]);
        using var gradValue = WrapRoom<T>(gradients[1]);
        WindowReassembly.Backward(weights, value, gradient, gradWeights, gradValue, options);
        return gradients;
    }
}
