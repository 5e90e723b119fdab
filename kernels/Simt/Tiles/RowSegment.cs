using ILGPU;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The neighbouring pixels of one row that a thread group computes, with all their channels: what is known of a row or
/// a column is found once for the group and kept in shared memory.
/// </summary>
internal struct RowSegment
{
    /// <summary>The threads of a group.</summary>
    public const int GroupSize = 128;

    /// <summary>The most columns of a segment.</summary>
    public const int MostColumns = GroupSize;

    private const int FewestColumns = 32;

    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The row.</summary>
    public int Row;

    /// <summary>The first column.</summary>
    public int Column;

    /// <summary>The columns of this segment.</summary>
    public int Columns;

    /// <summary>The columns of a whole segment, a power of two.</summary>
    public int Pitch;

    /// <summary>What there is to compute of a pixel: its channels, or packs of them.</summary>
    public int Packs;

    /// <summary>Gets the numbers of what a segment computes, some of which may be <see cref="Skips"/>.</summary>
    public readonly int Items(bool channelsFirst) => Packs * (channelsFirst ? Columns : Pitch);

    /// <summary>The column of an item within the segment: neighbouring threads take neighbours of the memory.</summary>
    public readonly int ColumnOf(int item, bool channelsFirst) => channelsFirst ? item / Packs : item & (Pitch - 1);

    /// <summary>The pack of an item in a column.</summary>
    public readonly int PackOf(int item, int column, bool channelsFirst) =>
        channelsFirst ? item - column * Packs : item / Pitch;

    /// <summary>Whether a column lies past the end of the segment.</summary>
    public readonly bool Skips(int column) => column >= Columns;

    /// <summary>The thread groups that a map takes.</summary>
    public static long GroupCount(int batch, int packs, int height, int width)
    {
        int pitch = PitchOf(packs);
        return (long)batch * height * ((width + pitch - 1) / pitch);
    }

    /// <summary>
    /// Finds the segment of the running group. It passes through shared memory: ILGPU's optimiser would move divisions to
    /// where their results are used, into loops as well. Ends with a barrier.
    /// </summary>
    public static RowSegment Locate(int packs, int height, int width)
    {
        var found = SharedMemory.Allocate<int>(4);
        int pitch = PitchOf(packs);
        if (Group.IdxX == 0)
        {
            int across = (width + pitch - 1) / pitch;
            int line = Grid.IdxX / across;
            int image = line / height;
            found[0] = image;
            found[1] = line - image * height;
            found[2] = (Grid.IdxX - line * across) * pitch;
        }
        Group.Barrier();
        int column = found[2];
        return new RowSegment
        {
            Image = found[0],
            Row = found[1],
            Column = column,
            Columns = Math.Min(pitch, width - column),
            Pitch = pitch,
            Packs = packs,
        };
    }

    // Pixels of few channels are few packs, and the threads of a group should all have one.
    private static int PitchOf(int packs) => packs < 4 ? MostColumns : FewestColumns;
}
