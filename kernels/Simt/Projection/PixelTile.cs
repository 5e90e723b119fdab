using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The 64 pixels that a thread group of a matrix product works on, counted through rows and images, so that narrow maps
/// fill it too. Where they lie in the maps is kept in shared memory.
/// </summary>
internal static class PixelTile
{
    /// <summary>The pixels of a tile.</summary>
    public const int Pixels = 64;

    /// <summary>The threads of a group.</summary>
    public const int GroupSize = 128;

    /// <summary>The tiles that a map takes.</summary>
    public static long Count(in PointwiseExtent extent) => (extent.Pixels + Pixels - 1) / Pixels;

    /// <summary>
    /// Writes where the first channel of every pixel is in a map; pixels past the end are where the last one is. Run by
    /// a whole group, one map at a time; the caller places the barrier.
    /// </summary>
    public static void Locate<TStorage>(
        in PointwiseExtent extent, long firstPixel, in MapView<TStorage> map, ArrayView<long> places)
        where TStorage : unmanaged
    {
        if (Group.IdxX >= Pixels)
            return;
        long pixel = Math.Min(firstPixel + Group.IdxX, extent.Pixels - 1);
        places[Group.IdxX] = PixelPosition.Locate(in extent, pixel).Offset(in map, 0);
    }
}
