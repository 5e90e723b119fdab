using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>LayerNorm over the channels (0 groups) or GroupNorm of a map, with factor and offset.</summary>
internal sealed class FeatureNormOperator(int groups, double epsilon) : Operator
{
    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        var map = inputs[0]!;
        using var input = TorchMemory.Wrap<T>(map);
        using var weight = TorchMemory.WrapParameter<T>(inputs[1]!);
        using var bias = TorchMemory.WrapParameter<T>(inputs[2]!);
        var result = TorchMemory.CreateLike(map);
        var statistics = TorchMemory.Create(
            FeatureNorm.StatisticsShape(input.Shape, groups),
            MemoryFormat.Contiguous,
            TorchTypes.Accumulator(map.dtype),
            map.device);
        using var output = TorchMemory.Wrap<T>(result);
        using var kept = TorchMemory.WrapAccumulator<T>(statistics);
        FeatureNorm.Forward(input, groups, weight, bias, epsilon, output, kept);
        saved?.AddRange([map, inputs[1]!, statistics]);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var input = TorchMemory.Wrap<T>(saved[0]);
        using var weight = TorchMemory.WrapParameter<T>(saved[1]);
        using var statistics = TorchMemory.WrapAccumulator<T>(saved[2]);
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        torch.Tensor[] gradients = [TorchMemory.CreateLike(saved[0]), torch.empty_like(saved[1]), torch.empty_like(
            saved[1])];
        using var gradInput = TorchMemory.Wrap<T>(gradients[0]);
        using var gradWeight = TorchMemory.WrapParameter<T>(gradients[1]);
        using var gradBias = TorchMemory.WrapParameter<T>(gradients[2]);
        FeatureNorm.Backward(input, groups, weight, statistics, gradient, gradInput, gradWeight, gradBias);
        return [.. gradients.Select((result, i) => wanted[i] ? result : null)];
    }
}
