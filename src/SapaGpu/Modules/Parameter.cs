namespace SapaGpu;

/// <summary>A learnable parameter of a module.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <param name="Name">The name in a PyTorch state_dict, such as "q.weight".</param>
/// <param name="Shape">The dimensions in a PyTorch state_dict, such as [64, 256].</param>
/// <param name="Value">
/// The values, contiguous in the order of <paramref name="Shape"/>. As a tensor a matrix [O, I] is [O, I, 1, 1] and a
/// vector [N] is [1, N, 1, 1].
/// </param>
public sealed record Parameter<T>(string Name, IReadOnlyList<int> Shape, Tensor<T> Value)
    where T : unmanaged
{
    /// <summary>The tensor shape that holds dimensions of a state_dict.</summary>
    /// <exception cref="ArgumentException">There are no dimensions, or more than two.</exception>
    internal static TensorShape TensorShapeOf(IReadOnlyList<int> shape) => shape.Count switch
    {
        1 => new TensorShape(1, shape[0], 1, 1),
        2 => new TensorShape(shape[0], shape[1], 1, 1),
        _ => throw new ArgumentException("A parameter is a vector or a matrix.", nameof(shape)),
    };
}
