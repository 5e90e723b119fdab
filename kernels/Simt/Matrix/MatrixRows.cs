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

    /// <summary>Finds the rows.</summary>
    /// <param name="map">The map.</param>
    /// <param name="upper">The first of eight positions of the upper half.</param>
    /// <param name="lower">The first of eight positions of the lower half.</param>
    public static MatrixRows<TStorage, TAccess> Locate(in TileMap<TStorage> map, int upper, int lower)
    {
        int lane = Group.IdxX & (CellPair.WarpSize - 1);
        int own = TAccess.ChannelsFastest ? lane / 4 : 2 * (lane & 3);
        var rows = new MatrixRows<TStorage, TAccess>
        {
            Map = map,
            Upper = map.Positions[upper + own],
            Lower = map.Positions[lower + own],
        };
        if (!TAccess.ChannelsFastest)
        {
            rows.UpperRight = map.Positions[upper + own + 1];
            rows.LowerRight = map.Positions[lower + own + 1];
        }
        return rows;
    }
}
