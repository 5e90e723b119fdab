using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR.Types;
using ILGPU.Runtime;
using ILGPU.Runtime.OpenCL;

namespace SapaGpu.Devices;

/// <summary>Loads thread-group programs: what another process has compiled for such a device, else it compiles.</summary>
internal static class KernelLoader
{
    /// <summary>Loads a program.</summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="store">Where compiled code is kept; null for nowhere.</param>
    /// <param name="kernel">The program, an <see cref="Kernels.Contracts.IKernel{TParameters}"/>.</param>
    /// <param name="entryPoint">The method that runs it.</param>
    public static Kernel Load(Accelerator accelerator, CodeStore? store, Type kernel, MethodInfo entryPoint)
    {
        // What is generated depends on the language and on what the device has of its options.
        string options = accelerator.Device is CLDevice device
            ? $"{device.DeviceVersion} {string.Join(' ', device.Extensions)}"
            : string.Empty;
        return accelerator.LoadKernel(Compile(accelerator.GetBackend(), store, options, kernel, entryPoint));
    }

    /// <summary>The code of a program.</summary>
    /// <param name="backend">The code generator.</param>
    /// <param name="store">Where compiled code is kept; null for nowhere.</param>
    /// <param name="options">What the code depends on beside the version of the language.</param>
    /// <param name="kernel">The program.</param>
    /// <param name="entryPoint">The method that runs it.</param>
    public static CompiledKernel Compile(
        Backend backend, CodeStore? store, string options, Type kernel, MethodInfo entryPoint)
    {
        string? language = backend switch
        {
            PTXBackend ptx => $"PTX {ptx.Architecture} {ptx.InstructionSet}",
            CLBackend openCL => $"OpenCL C {openCL.CLStdVersion} {openCL.Vendor}",
            _ => null,
        };
        if (store is null || language is null)
            return KernelCode.Compile(backend, kernel, entryPoint);
        string key = $"{language} {options} {kernel.FullName}";
        if (store.Read(key) is { } text && Parse(backend, entryPoint, text) is { } known)
            return known;
        var compiled = KernelCode.Compile(backend, kernel, entryPoint);
        int sharedBytes = KernelCode.EntryPointOf(compiled).SharedMemory.StaticSize;
        store.Write(key, FormattableString.Invariant($"{sharedBytes}\n{KernelCode.TextOf(compiled)}"));
        return compiled;
    }

    // The bytes of shared memory, then the code.
    private static CompiledKernel? Parse(Backend backend, MethodInfo entryPoint, string text)
    {
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0
            || !int.TryParse(text.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out int sharedBytes))
        {
            return null;
        }
        string code = text[(end + 1)..];
        var description = EntryPointDescription.FromExplicitlyGroupedKernel(entryPoint);
        var shared = new SharedMemorySpecification(sharedBytes, hasDynamicMemory: false);
        const int ValuesOfView = 2;
        return backend is CLBackend openCL
            ? new CLCompiledKernel(
                backend.Context,
                new SeparateViewEntryPoint(description, shared, default, TypesOf(backend.Context), ValuesOfView),
                null,
                code,
                openCL.CLStdVersion)
            : KernelCode.CreatePtx(backend.Context, new EntryPoint(description, shared, default), null, code);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_TypeContext")]
    private static extern IRTypeContext TypesOf(Context context);
}
