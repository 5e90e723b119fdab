using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_upsampler_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeUpsamplerOptions : INativeModuleOptions<NativeUpsamplerOptions>
{
    public uint StructSize;
    public int ElementType;
    public int EncoderChannels;
    public int DecoderChannels;
    public int Similarity;
    public int FeatureNorm;
    public int NormGroups;
    public int EmbeddingChannels;
    public int ValueChannels;
    public int Window;
    public int Border;
    public int Normalisation;
    public int HasBias;
    public int AllowsDownsampling;
    public double Epsilon;

    public static (int ElementType, object Module) Read(NativeUpsamplerOptions* options)
    {
        NativeStruct.CheckNotNull(options, "options");
        NativeStruct.CheckSize(options, "options");
        return (options->ElementType, new SapaOptions
        {
            EncoderChannels = options->EncoderChannels,
            DecoderChannels = options->DecoderChannels,
            Similarity = (Similarity)options->Similarity,
            FeatureNorm = (FeatureNormKind)options->FeatureNorm,
            NormGroups = options->NormGroups,
            EmbeddingChannels = options->EmbeddingChannels,
            ValueChannels = options->ValueChannels == 0 ? null : options->ValueChannels,
            Window = options->Window,
            Border = (BorderRule)options->Border,
            Normalisation = (ScoreNormalisation)options->Normalisation,
            HasBias = NativeStruct.Flag(options->HasBias, "has_bias"),
            AllowsDownsampling = NativeStruct.Flag(options->AllowsDownsampling, "allows_downsampling"),
            Epsilon = options->Epsilon,
        });
    }
}
