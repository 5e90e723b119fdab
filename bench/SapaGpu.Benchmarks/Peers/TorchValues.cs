using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>Arrays of the host as tensors of libtorch.</summary>
internal static class TorchValues
{
    /// <summary>The type of libtorch with the same values.</summary>
    public static torch.ScalarType Of(ElementType type) => type switch
    {
        ElementType.Float64 => torch.ScalarType.Float64,
        ElementType.Float16 => torch.ScalarType.Float16,
        ElementType.BFloat16 => torch.ScalarType.BFloat16,
        _ => torch.ScalarType.Float32,
    };

    /// <summary>Copies an array; one of four dimensions into a memory format.</summary>
    public static torch.Tensor Create(HostArray array, ElementType type, MemoryFormat format)
    {
        using var scope = torch.NewDisposeScope();
        var values = torch.tensor(array.Values, [.. array.Shape.Select(size => (long)size)]).to_type(Of(type));
        return InFormat(values, format).MoveToOuterDisposeScope();
    }

    /// <summary>Copies a map, if need be, so that it lies in memory as the format says.</summary>
    public static torch.Tensor InFormat(torch.Tensor map, MemoryFormat format) =>
        map.dim() == 4 && format == MemoryFormat.ChannelsLast
            ? map.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
            : map;

    /// <summary>Compares with an array, as a share of the array's largest value or of a larger one.</summary>
    /// <param name="what">What is compared, for the message.</param>
    /// <param name="actual">The tensor.</param>
    /// <param name="expected">The array.</param>
    /// <param name="type">The type that the tensor was computed in.</param>
    /// <param name="magnitude">How large values can be that the array is what is left of.</param>
    /// <exception cref="InvalidOperationException">The difference is above the tolerance, or no number.</exception>
    public static void Check(
        string what, torch.Tensor actual, HostArray expected, ElementType type, double magnitude = double.Epsilon)
    {
        using var scope = torch.NewDisposeScope();
        var reference = Create(expected, ElementType.Float64, MemoryFormat.Contiguous);
        double largest = Math.Max(reference.abs().max().item<double>(), magnitude);
        double difference =
            (actual.detach().to_type(torch.ScalarType.Float64).reshape(reference.shape) - reference).abs().max().item<double>();
        if (!(difference <= Tolerance(type) * largest))
        {
            throw new InvalidOperationException(
                $"{what}: libtorch differs by {difference:g3}, where values go up to {largest:g3}.");
        }
    }

    // libtorch rounds every step of a composition to the element type; the fused operators round once.
    private static double Tolerance(ElementType type) => type switch
    {
        ElementType.Float64 => 1e-10,
        ElementType.Float32 => 1e-4,
        ElementType.Float16 => 2e-2,
        _ => 1e-1,
    };
}
