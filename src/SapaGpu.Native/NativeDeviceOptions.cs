using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_device_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeDeviceOptions
{
    public uint StructSize;
    public int Threads;
    public long WorkspaceBytes;
    public nint Stream;
    public int UsesPrimaryContext;
    public int Reserved;

    public static DeviceOptions Read(NativeDeviceOptions* options)
    {
        var read = new DeviceOptions();
        if (options is null)
            return read;
        NativeStruct.CheckSize(options, "options");
        NativeStruct.CheckReserved(options->Reserved, "options");
        return read with
        {
            Threads = options->Threads,
            WorkspaceBytes = options->WorkspaceBytes == 0 ? read.WorkspaceBytes : options->WorkspaceBytes,
            Stream = options->Stream,
            UsesPrimaryContext = NativeStruct.Flag(options->UsesPrimaryContext, "uses_primary_context"),
        };
    }
}
