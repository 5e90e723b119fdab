using ILGPU;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Where the rows of a product belong in a map, as a lane needs it: by vectors its own two rows, r and r + 8 with
/// r = lane / 4, else two neighbouring rows of each half, 2·(lane mod 4) on.
/// </summary>
internal struct MatrixRows<TStorage, TAccess>
    where TStorage : unmanaged
    where TAccess : struct, IChannelAccess
{
    /// <summary>The map.</summary>
    public TileMap<TStorage> Map;

    /// <summary>The position of the row of the upper half; of the left one.</summary>
    public int Upper;

    /// <summary>The position of the row of the lower half; of the left one.</summary>
    public int Lower;

    /// <summary>The position of the right row of the upper half.</summary>
    public int UpperRight;

    /// <summary>The position of the right row of the lower half.</summary>
    public int LowerRight;

    /// <summary>Gets which row of the first eight is the lane's own, or the left one of its own.</summary>
    public static int OfLane
    {
        get
        {
            int lane = Group.IdxX & (CellPair.WarpSize - 1);
            return TAccess.ChannelsFastest ? lane / 4 : 2 * (lane & 3);
        }
    }

    /// <summary>Finds the rows.</summary>
    /// <param name="map">The map.</param>
    /// <param name="upper">The position of the lane's row of the upper half.</param>
    /// <param name="lower">The position of its row of the lower half.</param>
    public static MatrixRows<TStorage, TAccess> Locate(in TileMap<TStorage> map, int upper, int lower)
    {
        var rows = new MatrixRows<TStorage, TAccess>
        {
            Map = map,
            Upper = map.Positions[upper],
            Lower = map.Positions[lower],
        };
        if (!TAccess.ChannelsFastest)
        {
            rows.UpperRight = map.Positions[upper + 1];
            rows.LowerRight = map.Positions[lower + 1];
        }
        return rows;
    }
}
