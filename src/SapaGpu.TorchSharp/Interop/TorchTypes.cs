using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The element types of torch.</summary>
internal static class TorchTypes
{
    /// <summary>Whether maps of a type are supported.</summary>
    public static bool IsSupported(torch.ScalarType type) =>
        type is torch.ScalarType.Float32 or torch.ScalarType.Float64 or torch.ScalarType.Float16 or torch.ScalarType.BFloat16;

    /// <summary>The element type of SapaGpu with the same values.</summary>
    public static ElementType ElementOf(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float64 => ElementType.Float64,
        torch.ScalarType.Float16 => ElementType.Float16,
        torch.ScalarType.BFloat16 => ElementType.BFloat16,
        _ => ElementType.Float32,
    };

    /// <summary>The type of torch with the same values.</summary>
    public static torch.ScalarType ScalarOf(ElementType type) => type switch
    {
        ElementType.Float64 => torch.ScalarType.Float64,
        ElementType.Float16 => torch.ScalarType.Float16,
        ElementType.BFloat16 => torch.ScalarType.BFloat16,
        _ => torch.ScalarType.Float32,
    };

    /// <summary>The type that maps of a type are computed in, which is also that of parameters.</summary>
    public static torch.ScalarType Accumulator(torch.ScalarType type) =>
        type == torch.ScalarType.Float64 ? torch.ScalarType.Float64 : torch.ScalarType.Float32;

    /// <summary>The narrowest type that holds the values of both, as torch promotes them.</summary>
    public static torch.ScalarType Promote(torch.ScalarType left, torch.ScalarType right)
    {
        if (left == right)
            return left;
        return left == torch.ScalarType.Float64 || right == torch.ScalarType.Float64
            ? torch.ScalarType.Float64
            : torch.ScalarType.Float32;
    }
}
