using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>Which packs a thread copies to shared memory: those of up to four positions.</summary>
internal struct StagedItems
{
    /// <summary>From a position to the first pack.</summary>
    public int Source;

    /// <summary>The channels that there are from the first pack on.</summary>
    public int Remaining;

    /// <summary>The first position; negative for zeros.</summary>
    public int First;

    /// <summary>The second position.</summary>
    public int Second;

    /// <summary>The third position.</summary>
    public int Third;

    /// <summary>The fourth position.</summary>
    public int Fourth;

    /// <summary>Where the pack of the first position goes.</summary>
    public int FirstTarget;

    /// <summary>Where the pack of the second position goes.</summary>
    public int SecondTarget;

    /// <summary>Where the pack of the third position goes.</summary>
    public int ThirdTarget;

    /// <summary>Where the pack of the fourth position goes.</summary>
    public int FourthTarget;

    /// <summary>Whether there is a first position.</summary>
    public bool HasFirst;

    /// <summary>Whether there is a second position.</summary>
    public bool HasSecond;

    /// <summary>Whether there is a third position.</summary>
    public bool HasThird;

    /// <summary>Whether there is a fourth position.</summary>
    public bool HasFourth;
}

/// <summary>A round of packs on the way to shared memory.</summary>
internal struct StagedRound<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The pack of the first position.</summary>
    public Pack4<TReal> First;

    /// <summary>The pack of the second position.</summary>
    public Pack4<TReal> Second;

    /// <summary>The pack of the third position.</summary>
    public Pack4<TReal> Third;

    /// <summary>The pack of the fourth position.</summary>
    public Pack4<TReal> Fourth;

    /// <summary>Where they go.</summary>
    public StagedItems Items;

    /// <summary>Writes the packs, so many packs, a constant, behind their places.</summary>
    public readonly void Write(ArrayView<Pack4<TReal>> target, int pack)
    {
        if (Items.HasFirst)
            target.SubView(Items.FirstTarget, 1)[pack] = First;
        if (Items.HasSecond)
            target.SubView(Items.SecondTarget, 1)[pack] = Second;
        if (Items.HasThird)
            target.SubView(Items.ThirdTarget, 1)[pack] = Third;
        if (Items.HasFourth)
            target.SubView(Items.FourthTarget, 1)[pack] = Fourth;
    }
}
