using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Policies;

/// <summary>What a window tap outside the map counts for.</summary>
/// <remarks>
/// Windows that are moved inside the map have no tap outside; they are a matter of which cell a query belongs to, see
/// <see cref="AxisGrid.EmptyEdgeCells"/>.
/// </remarks>
internal interface IBorder
{
    /// <summary>
    /// Gets whether a tap outside the map stands for the nearest cell inside. The kernels give it the score of that
    /// cell, and add its weight to the weight of that cell before they sum values.
    /// </summary>
    static abstract bool Replicates { get; }

    /// <summary>Gets whether a tap outside the map is left out of the normalisation.</summary>
    static abstract bool LeavesOut { get; }

    /// <summary>The score of a tap outside the map, which enters the normalisation.</summary>
    static abstract TReal OutsideScore<TReal>()
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;
}

/// <summary>Taps outside the map have score 0 and stay in the softmax; their value is 0, so weight leaks out.</summary>
internal readonly struct ZeroLogitBorder : IBorder
{
    public static bool Replicates => false;

    public static bool LeavesOut => false;

    public static TReal OutsideScore<TReal>()
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.Zero;
}

/// <summary>Taps outside the map are left out of the normalisation.</summary>
internal readonly struct MaskedBorder : IBorder
{
    public static bool Replicates => false;

    public static bool LeavesOut => true;

    public static TReal OutsideScore<TReal>()
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.NegativeInfinity;
}

/// <summary>Taps outside the map stand for the nearest cell inside.</summary>
internal readonly struct ReplicateBorder : IBorder
{
    public static bool Replicates => true;

    public static bool LeavesOut => false;

    public static TReal OutsideScore<TReal>()
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.Zero;
}
