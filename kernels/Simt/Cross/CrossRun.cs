using ILGPU;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// Up to 16 neighbouring queries, or cells, of a row that a thread group works on, and which of its 64 threads has which: four
/// threads share one.
/// </summary>
internal struct CrossRun
{
    /// <summary>The queries or cells of a whole run.</summary>
    public const int Length = 16;

    /// <summary>The threads that share one.</summary>
    public const int Parts = 4;

    /// <summary>The threads of a group.</summary>
    public const int GroupSize = Length * Parts;

    /// <summary>The partners whose factors are kept at a time.</summary>
    public const int Partners = 128;

    /// <summary>The factors that are kept.</summary>
    public const int Pairs = Length * Partners;

    public int Image;

    /// <summary>The set of weights or the head.</summary>
    public int Part;

    public int Row;
    public int Column;
    public int Count;

    /// <summary>Gets which query or cell the thread has.</summary>
    public static int Lane => Group.IdxX & (Length - 1);

    /// <summary>Gets which of the threads that share it.</summary>
    public static int Share => Group.IdxX / Length;

    /// <summary>Gets the column of the thread, one of the run in any case.</summary>
    public readonly int OwnColumn => Column + (Lane < Count ? Lane : Count - 1);

    /// <summary>The runs of maps of a size, for each of some parts.</summary>
    public static long RunCount(int batch, int parts, int height, int width) =>
        (long)batch * parts * height * ((width + Length - 1) / Length);

    /// <summary>Finds the run of the group.</summary>
    public static CrossRun Locate(int parts, int height, int width)
    {
        int across = (width + Length - 1) / Length;
        int row = Grid.IdxX / across;
        int column = (Grid.IdxX - row * across) * Length;
        int part = row / height;
        int image = part / parts;
        return new CrossRun
        {
            Image = image,
            Part = part - image * parts,
            Row = row - part * height,
            Column = column,
            Count = width - column < Length ? width - column : Length,
        };
    }
}
