using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Policies;

/// <summary>What the heads of cross-resolution attention have to do with the channels of the value.</summary>
internal interface IHeadRule
{
    /// <summary>Gets whether the weights are averaged over the heads.</summary>
    static abstract bool Averages { get; }

    /// <summary>The heads that a set of weights is made of.</summary>
    static abstract int HeadsOfSet(in CrossExtent extent);
}

/// <summary>Every head has channels of its own.</summary>
internal readonly struct SplitHeads : IHeadRule
{
    public static bool Averages => false;

    public static int HeadsOfSet(in CrossExtent extent) => 1;
}

/// <summary>All heads together weigh all channels.</summary>
internal readonly struct AveragedHeads : IHeadRule
{
    public static bool Averages => true;

    public static int HeadsOfSet(in CrossExtent extent) => extent.Heads;
}
