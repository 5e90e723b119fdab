using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_naf_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeNafOptions : INativeModuleOptions<NativeNafOptions>
{
    public uint StructSize;
    public int ElementType;
    public int Channels;
    public int Heads;
    public int RotaryHeads;
    public int Window;
    public int Blocks;
    public int NormGroups;
    public double RotaryBase;
    public double Epsilon;

    public static (int ElementType, object Module) Read(NativeNafOptions* options)
    {
        NativeStruct.CheckNotNull(options, "options");
        NativeStruct.CheckSize(options, "options");
        return (options->ElementType, new NafOptions
        {
            Channels = options->Channels,
            Heads = options->Heads,
            RotaryHeads = options->RotaryHeads,
            Window = options->Window,
            Blocks = options->Blocks,
            NormGroups = options->NormGroups,
            RotaryBase = options->RotaryBase,
            Epsilon = options->Epsilon,
        });
    }
}
