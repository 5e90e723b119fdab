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

    /// <summary>Gets whether the gradients have gradients themselves.</summary>
    public virtual bool IsTwiceDifferentiable => false;

    /// <summary>
    /// The gradients of ⟨gradients of the inputs, directions⟩: of the gradient of the output, and of what the forward saved;
    /// null for those that are not wanted.
    /// </summary>
    /// <param name="saved">What the forward saved.</param>
    /// <param name="gradOutput">The gradient of the output that the backward was given.</param>
    /// <param name="directions">For every input the direction of its gradient; null for 0.</param>
    /// <param name="wanted">Whether the gradient of the gradient of the output is wanted, and of every saved tensor.</param>
    public torch.Tensor?[] DoubleBackward(
        IReadOnlyList<torch.Tensor> saved,
        torch.Tensor gradOutput,
        IReadOnlyList<torch.Tensor?> directions,
        IReadOnlyList<bool> wanted) =>
        gradOutput.dtype switch
        {
            torch.ScalarType.Float64 => DoubleBackward<double>(saved, gradOutput, directions, wanted),
            torch.ScalarType.Float16 => DoubleBackward<Half>(saved, gradOutput, directions, wanted),
            torch.ScalarType.BFloat16 => DoubleBackward<BFloat16>(saved, gradOutput, directions, wanted),
            _ => DoubleBackward<float>(saved, gradOutput, directions, wanted),
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

    /// <inheritdoc cref="DoubleBackward(IReadOnlyList{torch.Tensor}, torch.Tensor, IReadOnlyList{torch.Tensor?}, IReadOnlyList{bool})"/>
    /// <typeparam name="T">The element type of the maps.</typeparam>
    protected virtual torch.Tensor?[] DoubleBackward<T>(
        IReadOnlyList<torch.Tensor> saved,
        torch.Tensor gradOutput,
        IReadOnlyList<torch.Tensor?> directions,
        IReadOnlyList<bool> wanted)
        where T : unmanaged => throw new InvalidOperationException($"{GetType().Name} has no second derivatives.");

    /// <summary>Allocates a gradient in the shape and format of its operand; null if it is not wanted.</summary>
    protected static torch.Tensor? Room(
        bool isWanted, torch.Tensor operand) => isWanted ? TorchMemory.CreateLike(operand) : null;

    /// <summary>Wraps an allocated gradient as a feature map; null stays null.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    protected static FeatureMap<T>? WrapRoom<T>(torch.Tensor? gradient)
        where T : unmanaged => gradient is null ? null : TorchMemory.Wrap<T>(gradient);
}
