using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>sapa_deformable_options.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeDeformableOptions
{
    public uint StructSize;
    public int Groups;
    public int Points;

    public static DeformableAttentionOptions Read(NativeDeformableOptions* options)
    {
        if (options is null)
            return new DeformableAttentionOptions();
        NativeStruct.CheckSize(options, "options");
        return new DeformableAttentionOptions { Groups = options->Groups, Points = options->Points };
    }
}
