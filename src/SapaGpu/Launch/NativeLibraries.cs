using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;

namespace SapaGpu.Launch;

/// <summary>
/// Lets ILGPU find the drivers' libraries under their run-time names: the plain names "libOpenCL.so" and "libcuda.so"
/// come with development packages only.
/// </summary>
internal static class NativeLibraries
{
    private static readonly bool Registered = Register();

    /// <summary>Installs the resolver, once in a process; without effect where the host installed its own.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void EnsureRegistered() => _ = Registered;

    private static bool Register()
    {
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, Resolve);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path)
    {
        string? runtimeName = (name, OperatingSystem.IsLinux()) switch
        {
            ("OpenCL", true) => "libOpenCL.so.1",
            ("cuda", true) => "libcuda.so.1",
            _ => null,
        };
        return runtimeName is not null && NativeLibrary.TryLoad(runtimeName, out nint handle) ? handle : 0;
    }
}
