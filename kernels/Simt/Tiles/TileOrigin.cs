using ILGPU;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Where the tile of the running thread group begins, and which part of its work the group does.</summary>
internal struct TileOrigin
{
    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The first row.</summary>
    public int Row;

    /// <summary>The first column.</summary>
    public int Column;

    /// <summary>The part, where several groups share a tile.</summary>
    public int Part;

    /// <summary>The tiles that a length takes.</summary>
    public static int Count(int length, int tileLength) => (length + tileLength - 1) / tileLength;

    /// <summary>The thread groups that a band takes.</summary>
    public static long GroupCount(int width, in RowBand band, int tileWidth, int tileHeight, int parts) =>
        (long)Count(width, tileWidth) * Count(band.Rows, tileHeight) * band.Images * parts;

    /// <summary>
    /// Finds the origin. It passes through shared memory: ILGPU's optimiser would move its divisions to where the tile is
    /// used, into loops as well. Ends with a barrier.
    /// </summary>
    /// <param name="width">The columns of the map.</param>
    /// <param name="band">The rows that are worked on.</param>
    /// <param name="tileWidth">The columns of a tile.</param>
    /// <param name="tileHeight">The rows of a tile.</param>
    /// <param name="parts">The groups that share a tile.</param>
    public static TileOrigin Locate(int width, in RowBand band, int tileWidth, int tileHeight, int parts)
    {
        var found = SharedMemory.Allocate<int>(4);
        if (Group.IdxX == 0)
        {
            int across = Count(width, tileWidth);
            int perImage = across * Count(band.Rows, tileHeight);
            int index = Grid.IdxX / parts;
            int image = index / perImage;
            int tile = index - image * perImage;
            int down = tile / across;
            found[0] = band.FirstImage + image;
            found[1] = band.FirstRow + down * tileHeight;
            found[2] = (tile - down * across) * tileWidth;
            found[3] = Grid.IdxX - index * parts;
        }
        Group.Barrier();
        return new TileOrigin { Image = found[0], Row = found[1], Column = found[2], Part = found[3] };
    }
}
