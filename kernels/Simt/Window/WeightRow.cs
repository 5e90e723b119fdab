using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The weights that a row of queries around a cell give to it, from left to right, in a map.</summary>
internal struct WeightRow<TWeight>
    where TWeight : unmanaged
{
    /// <summary>The map.</summary>
    public ArrayView<TWeight> Data;

    /// <summary>The first weight.</summary>
    public long Offset;

    /// <summary>From a weight to the next.</summary>
    public long Step;

    /// <summary>The column of the first query's cell.</summary>
    public int Column;

    /// <summary>The columns of cells; 0 for a row outside the map.</summary>
    public int Columns;

    /// <summary>Reads the weights; 0 outside the map.</summary>
    public readonly WeightTaps<TReal> Read<TWeightElement, TReal>(int window)
        where TWeightElement : struct, IElement<TWeight, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => new()
        {
            First = Read<TWeightElement, TReal>(0, true),
            Second = Read<TWeightElement, TReal>(1, true),
            Third = Read<TWeightElement, TReal>(2, true),
            Fourth = Read<TWeightElement, TReal>(3, window > 3),
            Fifth = Read<TWeightElement, TReal>(4, window > 3),
            Sixth = Read<TWeightElement, TReal>(5, window > 5),
            Seventh = Read<TWeightElement, TReal>(6, window > 5),
        };

    private readonly TReal Read<TWeightElement, TReal>(int tap, bool isTap)
        where TWeightElement : struct, IElement<TWeight, TReal>
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var weight = TReal.Zero;
        if (isTap & Column + tap >= 0 & Column + tap < Columns)
            weight = TWeightElement.Load(Data[Offset + tap * Step]);
        return weight;
    }
}

/// <summary>
/// The weights of a row of queries, all read before the first is written, so that the times of the reads overlap.
/// </summary>
internal struct WeightTaps<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int Pitch = 4;

    public TReal First;
    public TReal Second;
    public TReal Third;
    public TReal Fourth;
    public TReal Fifth;
    public TReal Sixth;
    public TReal Seventh;

    /// <summary>Writes them, a pack of four queries from one to the next.</summary>
    public readonly void Write(int window, ArrayView<TReal> target)
    {
        target[0] = First;
        target[Pitch] = Second;
        target[2 * Pitch] = Third;
        if (window > 3)
        {
            target[3 * Pitch] = Fourth;
            target[4 * Pitch] = Fifth;
        }
        if (window > 5)
        {
            target[5 * Pitch] = Sixth;
            target[6 * Pitch] = Seventh;
        }
    }

    /// <summary>As <see cref="Write"/>, rounded to an element type.</summary>
    public readonly void WriteRounded<TElement, TStorage>(int window, ArrayView<TStorage> target)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
    {
        target[0] = TElement.Store(First);
        target[Pitch] = TElement.Store(Second);
        target[2 * Pitch] = TElement.Store(Third);
        if (window > 3)
        {
            target[3 * Pitch] = TElement.Store(Fourth);
            target[4 * Pitch] = TElement.Store(Fifth);
        }
        if (window > 5)
        {
            target[5 * Pitch] = TElement.Store(Sixth);
            target[6 * Pitch] = TElement.Store(Seventh);
        }
    }
}
