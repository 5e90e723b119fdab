namespace SapaGpu.Kernels.Contracts;

/// <summary>One axis of an interpolation.</summary>
internal struct SampleAxis
{
    /// <summary>The samples of the input.</summary>
    public int Input;

    /// <summary>The samples of the output.</summary>
    public int Output;

    /// <summary>Whether the first and the last samples of both sides coincide.</summary>
    public int AlignCorners;
}
