namespace SapaGpu.Cli.Guided.Models;

/// <summary>A trained model that upsamples features with the photo.</summary>
internal enum UpsamplingModel
{
    /// <summary><see cref="NafUpsampler{T}"/>.</summary>
    Naf,

    /// <summary><see cref="AnyUpUpsampler{T}"/>.</summary>
    AnyUp,
}
