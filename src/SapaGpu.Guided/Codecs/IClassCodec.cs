namespace SapaGpu.Guided;

/// <summary>A codec of hard decisions: every cell belongs to one class, which <see cref="ClassRefiner"/> can refine.</summary>
internal interface IClassCodec : IMapCodec
{
    /// <summary>Whether all cells of a rectangle belong to one class.</summary>
    bool IsUniform(Region cells);

    /// <summary>The channel of the class of missing values, which takes what it has more than half of; -1 for none.</summary>
    int UnknownChannel(EncodedCells encoded);
}
