using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>The run of up to 32 neighbouring pixels of a row that a thread group of 128 works on.</summary>
internal struct PixelRun
{
    /// <summary>The pixels of a whole run.</summary>
    public const int Length = 32;

    /// <summary>The threads of a group that works on a run.</summary>
    public const int GroupSize = 128;

    /// <summary>The image.</summary>
    public int Image;

    /// <summary>The row.</summary>
    public int Row;

    /// <summary>The first column.</summary>
    public int Column;

    /// <summary>The pixels of this run.</summary>
    public int Count;

    /// <summary>Finds a run.</summary>
    public static PixelRun Locate(in PointwiseExtent extent, long run)
    {
        int across = (extent.Width + Length - 1) / Length;
        long row = run / across;
        int column = (int)(run - row * across) * Length;
        int image = (int)(row / extent.Height);
        return new PixelRun
        {
            Image = image,
            Row = (int)(row - (long)image * extent.Height),
            Column = column,
            Count = extent.Width - column < Length ? extent.Width - column : Length,
        };
    }
}
