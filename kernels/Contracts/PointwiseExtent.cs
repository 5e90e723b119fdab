namespace SapaGpu.Kernels.Contracts;

/// <summary>The pixels that a pointwise operator works on, and the channels on its two sides.</summary>
internal struct PointwiseExtent
{
    /// <summary>The number of images.</summary>
    public int Batch;

    /// <summary>The rows.</summary>
    public int Height;

    /// <summary>The columns.</summary>
    public int Width;

    /// <summary>The channels that are read.</summary>
    public int InputChannels;

    /// <summary>The channels that are written.</summary>
    public int OutputChannels;

    /// <summary>The pixels that one group or one tile takes from a row.</summary>
    public readonly long Runs(int pixelsPerRun) =>
        (long)Batch * Height * ((Width + pixelsPerRun - 1) / pixelsPerRun);

    /// <summary>The extent of an operator that has as many channels on both sides.</summary>
    public static PointwiseExtent Of(int batch, int channels, int height, int width) => new()
    {
        Batch = batch,
        Height = height,
        Width = width,
        InputChannels = channels,
        OutputChannels = channels,
    };

    /// <summary>Gets all pixels.</summary>
    public readonly long Pixels => (long)Batch * Height * Width;
}
