using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_window_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeWindowOptions
{
    public uint StructSize;
    public int Window;
    public int Border;
    public int Normalisation;
    public int Heads;
    public int HeadValue;

    public static WindowAttentionOptions Read(NativeWindowOptions* options)
    {
        if (options is null)
            return WindowAttentionOptions.Default;
        NativeStruct.CheckSize(options, "options");
        return new WindowAttentionOptions
        {
            Window = options->Window,
            Border = (BorderRule)options->Border,
            Normalisation = (ScoreNormalisation)options->Normalisation,
            Heads = options->Heads,
            HeadValue = (HeadValue)options->HeadValue,
        };
    }
}
