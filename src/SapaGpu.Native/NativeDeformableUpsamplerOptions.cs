using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_deformable_upsampler_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeDeformableUpsamplerOptions : INativeModuleOptions<NativeDeformableUpsamplerOptions>
{
    public uint StructSize;
    public int ElementType;
    public int EncoderChannels;
    public int DecoderChannels;
    public int Scale;
    public int Groups;
    public int Points;
    public int EmbeddingChannels;
    public int HighResolutionOffsets;
    public int FeatureNorm;
    public int NormGroups;
    public int HasBias;
    public double Epsilon;

    public static (int ElementType, object Module) Read(NativeDeformableUpsamplerOptions* options)
    {
        NativeStruct.CheckNotNull(options, "options");
        NativeStruct.CheckSize(options, "options");
        return (options->ElementType, new SapaDeformableOptions
        {
            EncoderChannels = options->EncoderChannels,
            DecoderChannels = options->DecoderChannels,
            Scale = options->Scale,
            Groups = options->Groups,
            Points = options->Points,
            EmbeddingChannels = options->EmbeddingChannels,
            HighResolutionOffsets = NativeStruct.Flag(options->HighResolutionOffsets, "high_resolution_offsets"),
            FeatureNorm = (FeatureNormKind)options->FeatureNorm,
            NormGroups = options->NormGroups,
            HasBias = NativeStruct.Flag(options->HasBias, "has_bias"),
            Epsilon = options->Epsilon,
        });
    }
}
