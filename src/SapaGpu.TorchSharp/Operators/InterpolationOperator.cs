using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Interpolation of a map to another size.</summary>
internal sealed class InterpolationOperator(int height, int width, InterpolationMode mode, bool alignCorners) : Operator
{
    private MapShape shape;
    private MemoryFormat format;

    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        using var input = TorchMemory.Wrap<T>(inputs[0]!);
        (shape, format) = (input.Shape, input.Format);
        var resized = new MapShape(shape.Batch, shape.Channels, height, width);
        var result = TorchMemory.Create(resized, format, inputs[0]!.dtype, inputs[0]!.device);
        using var output = TorchMemory.Wrap<T>(result);
        Interpolate.Forward(input, output, mode, alignCorners);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        var result = TorchMemory.Create(shape, format, gradOutput.dtype, gradOutput.device);
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        using var gradInput = TorchMemory.Wrap<T>(result);
        Interpolate.Backward(gradient, gradInput, mode, alignCorners);
        return [result];
    }
}
