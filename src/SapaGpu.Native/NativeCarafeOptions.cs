using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_carafe_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCarafeOptions
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

    public static CarafeOptions Read(NativeCarafeOptions* options)
    {
        NativeStruct.CheckNotNull(options, "options");
        NativeStruct.CheckSize(options, "options");
        return new CarafeOptions
        {
            Channels = options->Channels,
            Scale = options->Scale,
            Window = options->Window,
            Groups = options->Groups,
            EncoderKernel = options->EncoderKernel,
            EncoderDilation = options->EncoderDilation,
            CompressedChannels = options->CompressedChannels,
        };
    }
}
