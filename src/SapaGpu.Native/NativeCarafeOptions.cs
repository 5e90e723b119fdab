using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_carafe_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCarafeOptions : INativeModuleOptions<NativeCarafeOptions>
{
    public uint StructSize;
    public int ElementType;
    public int Channels;
    public int Scale;
    public int Window;
    public int Groups;
    public int EncoderKernel;
    public int EncoderDilation;
    public int CompressedChannels;

    public static (int ElementType, object Module) Read(NativeCarafeOptions* options)
    {
        NativeStruct.CheckNotNull(options, "options");
        NativeStruct.CheckSize(options, "options");
        return (options->ElementType, new CarafeOptions
        {
            Channels = options->Channels,
            Scale = options->Scale,
            Window = options->Window,
            Groups = options->Groups,
            EncoderKernel = options->EncoderKernel,
            EncoderDilation = options->EncoderDilation,
            CompressedChannels = options->CompressedChannels,
        });
    }
}
