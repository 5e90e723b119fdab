namespace SapaGpu.Cli.Images;

/// <summary>The samples of an image file.</summary>
/// <param name="Raster">The samples in single precision.</param>
/// <param name="Type">Their type in the file.</param>
internal sealed record StoredSamples(Raster Raster, SampleType Type)
{
    /// <summary>
    /// The samples as they are, in the byte order of this machine; null where single precision holds them exactly.
    /// </summary>
    public byte[]? Exact { get; init; }

    /// <summary>The samples in double precision; null where single precision holds them exactly.</summary>
    public double[]? Numbers { get; init; }
}
