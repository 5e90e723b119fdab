using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>Copies, adds and converts maps whose shapes are known to match.</summary>
internal static class Conversions
{
    /// <summary>Copies a map to another of the same shape and element type.</summary>
    public static void Copy(FeatureMap source, FeatureMap result)
    {
        using var call = Operands.Hold(source, result);
        ResamplingKernels.For(source).Copy(source, result);
    }

    /// <summary>Adds a map to another of the same shape and element type.</summary>
    public static void Add(FeatureMap source, FeatureMap result)
    {
        using var call = Operands.Hold(source, result);
        ResamplingKernels.For(source).Add(source, result);
    }

    /// <summary>Widens a map to the type that it is computed in: double for double, otherwise float.</summary>
    /// <param name="source">The map.</param>
    /// <param name="result">Where it is written.</param>
    /// <param name="accumulate">Whether it is added to what is there.</param>
    public static void Widen(FeatureMap source, FeatureMap result, bool accumulate = false)
    {
        using var call = Operands.Hold(source, result);
        ResamplingKernels.For(source).Widen(source, result, accumulate);
    }

    /// <summary>Rounds a map of the type that is computed in to the element type of the result.</summary>
    public static void Narrow(FeatureMap source, FeatureMap result)
    {
        using var call = Operands.Hold(source, result);
        ResamplingKernels.For(result).Narrow(source, result);
    }
}
