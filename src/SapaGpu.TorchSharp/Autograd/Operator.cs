using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// One call of an operator on torch tensors: computes the output and later the gradients into torch tensors. Operands
/// have been checked by <see cref="TensorOperands"/>.
/// </summary>
internal abstract class Operator
{
    /// <summary>The output of the call.</summary>
    /// <param name="inputs">The inputs; null for those that were left out.</param>
    /// <param name="saved">Receives the tensors that the backward needs; null if there will be none.</param>
    public torch.Tensor Forward(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved) =>
        inputs[0]!.dtype switch
        {
            torch.ScalarType.Float64 => Forward<double>(inputs, saved),
            torch.ScalarType.Float16 => Forward<Half>(inputs, saved),
            torch.ScalarType.BFloat16 => Forward<BFloat16>(inputs, saved),
            _ => Forward<float>(inputs, saved),
        };

    /// <summary>The gradients of the inputs; null for those that are not wanted.</summary>
    /// <param name="saved">What the forward saved.</param>
    /// <param name="gradOutput">The gradient of the output.</param>
    /// <param name="wanted">For every input whether its gradient is wanted.</param>
    public torch.Tensor?[] Backward(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted) =>
        gradOutput.dtype switch
        {
            torch.ScalarType.Float64 => Backward<double>(saved, gradOutput, wanted),
            torch.ScalarType.Float16 => Backward<Half>(saved, gradOutput, wanted),
            torch.ScalarType.BFloat16 => Backward<BFloat16>(saved, gradOutput, wanted),
            _ => Backward<float>(saved, gradOutput, wanted),
        };

    /// <inheritdoc cref="Forward(IReadOnlyList{torch.Tensor?}, List{torch.Tensor}?)"/>
    /// <typeparam name="T">The element type of the maps.</typeparam>
    protected abstract torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
        where T : unmanaged;

    /// <inheritdoc cref="Backward(IReadOnlyList{torch.Tensor}, torch.Tensor, IReadOnlyList{bool})"/>
    /// <typeparam name="T">The element type of the maps.</typeparam>
    protected abstract torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
        where T : unmanaged;

    /// <summary>Allocates a gradient in the shape and format of its operand; null if it is not wanted.</summary>
    protected static torch.Tensor? Room(
        bool isWanted, torch.Tensor operand) => isWanted ? TorchMemory.CreateLike(operand) : null;

    /// <summary>Wraps an allocated gradient as a feature map; null stays null.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    protected static FeatureMap<T>? WrapRoom<T>(torch.Tensor? gradient)
        where T : unmanaged => gradient is null ? null : TorchMemory.Wrap<T>(gradient);
}
