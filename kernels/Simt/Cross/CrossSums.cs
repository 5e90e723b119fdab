using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Four channels of four neighbouring queries or cells.</summary>
internal struct CrossSums<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public Pack4<TReal> X;
    public Pack4<TReal> Y;
    public Pack4<TReal> Z;
    public Pack4<TReal> W;

    /// <summary>Adds the vectors of some partners, from a place on, with the factors that the group keeps of them.</summary>
    /// <param name="map">The map of the partners.</param>
    /// <param name="place">The first partner.</param>
    /// <param name="image">The image.</param>
    /// <param name="channel">The first of the four channels.</param>
    /// <param name="count">The partners.</param>
    /// <param name="remaining">The channels that there are from the first one on.</param>
    /// <param name="factors">The factors, [partner][of the run].</param>
    public void Add<TElement, TStorage, TAccess>(
        in MapView<TStorage> map,
        in CrossPlace place,
        int image,
        int channel,
        int count,
        int remaining,
        ArrayView<Pack4<TReal>> factors)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        var at = place;
        for (int partner = 0; partner < count; partner++)
        {
            var vector = TAccess.Load<TElement, TStorage, TReal>(
                in map, map.Offset(image, channel, at.Row, at.Column), remaining);
            AddSeen<TElement, TStorage>(factors[partner * (CrossRun.Length / 4) + CrossRun.Share], in vector);
            at.Advance();
        }
    }

    // What is not seen may hold anything, and has the factor −0.
    private void AddSeen<TElement, TStorage>(in Pack4<TReal> factors, in Pack4<TReal> vector)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
    {
        if (!TElement.IsNegativeZero(factors.X))
            Pack4.Add(ref X, factors.X, in vector);
        if (!TElement.IsNegativeZero(factors.Y))
            Pack4.Add(ref Y, factors.Y, in vector);
        if (!TElement.IsNegativeZero(factors.Z))
            Pack4.Add(ref Z, factors.Z, in vector);
        if (!TElement.IsNegativeZero(factors.W))
            Pack4.Add(ref W, factors.W, in vector);
    }

    /// <summary>Writes the sums of those that a run has.</summary>
    public readonly void Store<TElement, TStorage, TAccess>(
        in MapView<TStorage> map, in CrossRun run, int first, int channel, int remaining, TReal factor)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        Store<TElement, TStorage, TAccess>(in map, in run, first, channel, remaining, factor, in X);
        Store<TElement, TStorage, TAccess>(in map, in run, first + 1, channel, remaining, factor, in Y);
        Store<TElement, TStorage, TAccess>(in map, in run, first + 2, channel, remaining, factor, in Z);
        Store<TElement, TStorage, TAccess>(in map, in run, first + 3, channel, remaining, factor, in W);
    }

    private static void Store<TElement, TStorage, TAccess>(
        in MapView<TStorage> map, in CrossRun run, int number, int channel, int remaining, TReal factor, in Pack4<TReal> sum)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        if (number >= run.Count | remaining <= 0)
            return;
        var value = Pack4.MultiplyAdd(factor, in sum, default);
        TAccess.Store<TElement, TStorage, TReal>(
            in map, map.Offset(run.Image, channel, run.Row, run.Column + number), remaining, in value);
    }
}
