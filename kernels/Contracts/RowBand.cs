namespace SapaGpu.Kernels.Contracts;

/// <summary>A contiguous run of decoder rows, across a run of images, that one launch works on.</summary>
internal struct RowBand
{
    /// <summary>The first image.</summary>
    public int FirstImage;

    /// <summary>The number of images.</summary>
    public int Images;

    /// <summary>The first decoder row in each image.</summary>
    public int FirstRow;

    /// <summary>The number of decoder rows in each image.</summary>
    public int Rows;

    /// <summary>
    /// The tiles that the vector programs cut it into at least, where it is large enough: every thread should have
    /// some, and the fewer they are, the less is staged twice. What is computed is the same, whatever the tiles.
    /// </summary>
    public int FewestTiles;
}
