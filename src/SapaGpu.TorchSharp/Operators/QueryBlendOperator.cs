using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Queries from encoder features, decoder features and an optional gate.</summary>
internal sealed class QueryBlendOperator : Operator
{
    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var encoder = TorchMemory.Wrap<T>(inputs[0]!);
        using var decoder = TorchMemory.Wrap<T>(inputs[1]!);
        using var gate = inputs[2] is null ? null : TorchMemory.Wrap<T>(inputs[2]!);
        var result = TorchMemory.CreateLike(inputs[0]!);
        using var query = TorchMemory.Wrap<T>(result);
        QueryBlend.Forward(encoder, decoder, gate, query);
        saved?.AddRange(inputs.OfType<torch.Tensor>());
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        bool hasGate = saved.Count == 3;
        using var encoder = TorchMemory.Wrap<T>(saved[0]);
        using var decoder = TorchMemory.Wrap<T>(saved[1]);
        using var gate = hasGate ? TorchMemory.Wrap<T>(saved[2]) : null;
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        var fromDecoder = TorchMemory.CreateLike(saved[1]);
        using var gradDecoder = TorchMemory.Wrap<T>(fromDecoder);
        // Without a gate the query is a sum, so the gradient of the encoder features is that of the query.
        var fromEncoder = hasGate ? TorchMemory.CreateLike(saved[0]) : gradOutput.alias();
        var fromGate = hasGate ? TorchMemory.CreateLike(saved[2]) : null;
        using var gradEncoder = hasGate ? TorchMemory.Wrap<T>(fromEncoder) : null;
        using var gradGate = WrapRoom<T>(fromGate);
        QueryBlend.Backward(encoder, decoder, gate, gradient, gradEncoder, gradDecoder, gradGate);
        return [wanted[0] ? fromEncoder : null, wanted[1] ? fromDecoder : null, wanted[2] ? fromGate : null];
    }
}
