using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_cross_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCrossOptions
{
    public uint StructSize;
    public int Heads;
    public int AveragesHeads;
    public int Normalisation;
    public double ScoreScale;

    public static CrossAttentionOptions Read(NativeCrossOptions* options)
    {
        if (options is null)
            return CrossAttentionOptions.Default;
        NativeStruct.CheckSize(options, "options");
        return new CrossAttentionOptions
        {
            Heads = options->Heads,
            AveragesHeads = NativeStruct.Flag(options->AveragesHeads, "averages_heads"),
            ScoreScale = options->ScoreScale,
            Normalisation = (ScoreNormalisation)options->Normalisation,
        };
    }
}
