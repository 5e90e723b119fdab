using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;

namespace SapaGpu.Devices;

/// <summary>
/// Lets ILGPU and this library find the drivers' libraries under their run-time names: the plain names "libOpenCL.so"
/// and "libcuda.so" come with development packages only.
/// </summary>
internal static class NativeLibraries
{
    private static readonly bool Registered = Register();

    /// <summary>
    /// Installs the resolver, once in a process; for ILGPU without effect where the host installed its own.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void EnsureRegistered() => _ = Registered;

    private static bool Register()
    {
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
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
        string? runtimeName = name switch
        {
            "OpenCL" when OperatingSystem.IsLinux() => "libOpenCL.so.1",
            "cuda" when OperatingSystem.IsLinux() => "libcuda.so.1",
            "cuda" when OperatingSystem.IsWindows() => "nvcuda.dll",
            _ => null,
        };
        return runtimeName is not null && NativeLibrary.TryLoad(runtimeName, out nint handle) ? handle : 0;
    }
}
