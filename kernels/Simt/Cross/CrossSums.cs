using System.Numerics;
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

    /// <summary>Adds a vector, with a factor for each.</summary>
    public void Add(in Pack4<TReal> factors, in Pack4<TReal> vector)
    {
        Pack4.Add(ref X, factors.X, in vector);
        Pack4.Add(ref Y, factors.Y, in vector);
        Pack4.Add(ref Z, factors.Z, in vector);
        Pack4.Add(ref W, factors.W, in vector);
    }

    /// <summary>Adds a vector where its factor is not 0: what is not seen may hold anything.</summary>
    public void AddSeen(in Pack4<TReal> factors, in Pack4<TReal> vector)
    {
        if (factors.X != TReal.Zero)
            Pack4.Add(ref X, factors.X, in vector);
        if (factors.Y != TReal.Zero)
            Pack4.Add(ref Y, factors.Y, in vector);
        if (factors.Z != TReal.Zero)
            Pack4.Add(ref Z, factors.Z, in vector);
        if (factors.W != TReal.Zero)
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
