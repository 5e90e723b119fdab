using System.Numerics;

namespace SapaGpu.Kernels;

/// <summary>What a window tap outside the map counts for.</summary>
public interface IBorder
{
    /// <summary>The score of a tap outside the map, which enters the normalisation.</summary>
    static abstract TAccumulator OutsideScore<TAccumulator>()
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>;
}

/// <summary>Taps outside the map have score 0 and stay in the softmax; their value is 0, so weight leaks out.</summary>
public readonly struct ZeroLogitBorder : IBorder
{
    /// <inheritdoc/>
    public static TAccumulator OutsideScore<TAccumulator>()
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => TAccumulator.Zero;
}

/// <summary>Taps outside the map are left out of the normalisation.</summary>
public readonly struct MaskedBorder : IBorder
{
    /// <inheritdoc/>
    public static TAccumulator OutsideScore<TAccumulator>()
        where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator> => TAccumulator.NegativeInfinity;
}
