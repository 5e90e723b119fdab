using System.Numerics;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The sums of a thread: twice four channels of four queries.</summary>
internal struct CrossLaneState<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private Pack4<TReal> lowX;
    private Pack4<TReal> lowY;
    private Pack4<TReal> lowZ;
    private Pack4<TReal> lowW;
    private Pack4<TReal> highX;
    private Pack4<TReal> highY;
    private Pack4<TReal> highZ;
    private Pack4<TReal> highW;

    /// <summary>Adds the channels of a cell, with the weights that the queries give it.</summary>
    public void Add(Pack4<TReal> weights, Pack4<TReal> low, Pack4<TReal> high)
    {
        AddLow(weights, low);
        Pack4.Add(ref highX, weights.X, in high);
        Pack4.Add(ref highY, weights.Y, in high);
        Pack4.Add(ref highZ, weights.Z, in high);
        Pack4.Add(ref highW, weights.W, in high);
    }

    /// <summary>As <see cref="Add(Pack4{TReal}, Pack4{TReal}, Pack4{TReal})"/>, the first four channels alone.</summary>
    public void AddLow(Pack4<TReal> weights, Pack4<TReal> low)
    {
        Pack4.Add(ref lowX, weights.X, in low);
        Pack4.Add(ref lowY, weights.Y, in low);
        Pack4.Add(ref lowZ, weights.Z, in low);
        Pack4.Add(ref lowW, weights.W, in low);
    }

    /// <summary>As <see cref="Add(Pack4{TReal}, Pack4{TReal}, Pack4{TReal})"/>, without those that have no weight.</summary>
    public void AddSeen(Pack4<TReal> weights, in Pack4<TReal> low, in Pack4<TReal> high)
    {
        AddSeen(ref lowX, ref highX, weights.X, in low, in high);
        AddSeen(ref lowY, ref highY, weights.Y, in low, in high);
        AddSeen(ref lowZ, ref highZ, weights.Z, in low, in high);
        AddSeen(ref lowW, ref highW, weights.W, in low, in high);
    }

    /// <summary>Adds other sums.</summary>
    public void Add(in CrossLaneState<TReal> others)
    {
        Pack4.Add(ref lowX, TReal.One, in others.lowX);
        Pack4.Add(ref lowY, TReal.One, in others.lowY);
        Pack4.Add(ref lowZ, TReal.One, in others.lowZ);
        Pack4.Add(ref lowW, TReal.One, in others.lowW);
        Pack4.Add(ref highX, TReal.One, in others.highX);
        Pack4.Add(ref highY, TReal.One, in others.highY);
        Pack4.Add(ref highZ, TReal.One, in others.highZ);
        Pack4.Add(ref highW, TReal.One, in others.highW);
    }

    /// <summary>Whether all sums are finite: only what is not has a product with 0 that is not 0.</summary>
    public readonly bool AreFinite(TReal zero)
    {
        var probe = TReal.Zero;
        probe = Probe(in lowX, zero, probe);
        probe = Probe(in lowY, zero, probe);
        probe = Probe(in lowZ, zero, probe);
        probe = Probe(in lowW, zero, probe);
        probe = Probe(in highX, zero, probe);
        probe = Probe(in highY, zero, probe);
        probe = Probe(in highZ, zero, probe);
        return Probe(in highW, zero, probe) == TReal.Zero;
    }

    /// <summary>Writes the sums.</summary>
    /// <param name="map">The map, whose positions begin with those of the queries.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="toHigh">From there to the first of the second four.</param>
    /// <param name="end">The channel after the last of all.</param>
    public readonly void Write<TElement, TStorage, TAccess>(in TileMap<TStorage> map, int channel, int toHigh, int end)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        Write<TElement, TStorage, TAccess>(in map, 0, channel, end, in lowX);
        Write<TElement, TStorage, TAccess>(in map, 1, channel, end, in lowY);
        Write<TElement, TStorage, TAccess>(in map, 2, channel, end, in lowZ);
        Write<TElement, TStorage, TAccess>(in map, 3, channel, end, in lowW);
        Write<TElement, TStorage, TAccess>(in map, 0, channel + toHigh, end, in highX);
        Write<TElement, TStorage, TAccess>(in map, 1, channel + toHigh, end, in highY);
        Write<TElement, TStorage, TAccess>(in map, 2, channel + toHigh, end, in highZ);
        Write<TElement, TStorage, TAccess>(in map, 3, channel + toHigh, end, in highW);
    }

    private static void AddSeen(
        ref Pack4<TReal> lowSum, ref Pack4<TReal> highSum, TReal weight, in Pack4<TReal> low, in Pack4<TReal> high)
    {
        if (weight == TReal.Zero)
            return;
        Pack4.Add(ref lowSum, weight, in low);
        Pack4.Add(ref highSum, weight, in high);
    }

    private static TReal Probe(in Pack4<TReal> sums, TReal zero, TReal probe)
    {
        probe += sums.X * zero;
        probe += sums.Y * zero;
        probe += sums.Z * zero;
        return probe + sums.W * zero;
    }

    private static void Write<TElement, TStorage, TAccess>(
        in TileMap<TStorage> map, int query, int channel, int end, in Pack4<TReal> sums)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TAccess : struct, IChannelAccess
    {
        int position = map.Positions[query];
        if (position >= 0 & channel < end)
        {
            TAccess.StoreNear<TElement, TStorage, TReal>(
                map.Data, position + map.ToChannel<TAccess>(channel), 0, map.ChannelStride, end - channel, in sums);
        }
    }
}
