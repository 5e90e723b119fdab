using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// An operator on maps of no images: an output of no images, in shape and format that of a batch, and gradients of
/// zero.
/// </summary>
/// <remarks>
/// Shape, format and every error are those of the operator on one image of zeros, which stands in for the batch. Feature
/// maps themselves have at least one image.
/// </remarks>
internal sealed class EmptyBatchOperator(Operator call) : Operator
{
    private const int MapDimensions = 4;

    // For every input its place among the saved tensors; −1 for one that was left out.
    private int[] places = [];

    /// <summary>Whether the maps among the inputs have no images.</summary>
    public static bool Suits(torch.Tensor?[] inputs) =>
        inputs[0] is { } map && map.dim() == MapDimensions && map.shape[0] == 0;

    /// <inheritdoc/>
    public override bool IsTwiceDifferentiable => call.IsTwiceDifferentiable;

    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        int next = 0;
        places = [.. inputs.Select(input => input is null ? -1 : next++)];
        using var scope = torch.NewDisposeScope();
        var output = call.Forward([.. inputs.Select(StandIn)], null);
        saved?.AddRange(inputs.OfType<torch.Tensor>());
        return Empty(output).MoveToOuterDisposeScope();
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted) =>
        [.. places.Select((place, i) => place >= 0 && wanted[i] ? torch.zeros_like(saved[place]) : null)];

    protected override torch.Tensor?[] DoubleBackward<T>(
        IReadOnlyList<torch.Tensor> saved,
        torch.Tensor gradOutput,
        IReadOnlyList<torch.Tensor?> directions,
        IReadOnlyList<bool> wanted) =>
        [.. saved.Prepend(gradOutput).Select((tensor, i) => wanted[i] ? torch.zeros_like(tensor) : null)];

    private static torch.Tensor Empty(torch.Tensor like)
    {
        long[] shape = like.shape;
        return TorchMemory.FormatOf(like) == MemoryFormat.ChannelsLast
            ? torch.empty([0, shape[2], shape[3], shape[1]], like.dtype, like.device).permute(0, 3, 1, 2)
            : torch.empty([0, .. shape[1..]], like.dtype, like.device);
    }

    // Parameters are vectors and matrices, and stay as they are.
    private static torch.Tensor? StandIn(torch.Tensor? input)
    {
        if (input is null || input.dim() != MapDimensions)
            return input;
        long[] shape = input.shape;
        var zeros = torch.zeros([1, .. shape[1..]], input.dtype, input.device);
        return TorchMemory.FormatOf(input) == MemoryFormat.ChannelsLast
            ? zeros.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
            : zeros;
    }
}
