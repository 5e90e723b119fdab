using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using SapaGpu.Kernels;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// ILGPU's code generators without a device. A compiler serves one thread; the context is set up as the library's is.
/// </summary>
internal sealed class KernelCompiler : IDisposable
{
    private readonly Context context =
        Context.Create(builder => builder.Optimize(OptimizationLevel.O2).CPU(new CPUDevice(2, 1, 1)));

    private readonly Backend backend;

    private KernelCompiler(Func<Context, Backend> createBackend) => backend = createBackend(context);

    /// <summary>Creates a compiler to PTX for an architecture.</summary>
    public static KernelCompiler ForPtx(CudaArchitecture architecture) => new(context => new PTXBackend(
        context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_80, null));

    /// <summary>Creates a compiler to OpenCL C for a device that has double precision and no other extension.</summary>
    public static KernelCompiler ForOpenCL() => new(context =>
    {
        var capabilities = new CLCapabilityContext(
            float16: false, float64: true, genericAddressSpace: false, int64_Atomics: false, subGroups: false);
        return new CLBackend(context, capabilities, CLDeviceVendor.Other, CLBackend.MinimumVersion);
    });

    /// <summary>The text of a compiled kernel.</summary>
    public string Compile(KernelInstantiation kernel)
    {
        var method = typeof(KernelEntry).GetMethod(nameof(KernelEntry.Run))!
            .MakeGenericMethod(kernel.Kernel, kernel.Parameters);
        var compiled = backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(method), default);
        return compiled is PTXCompiledKernel ptx ? ptx.PTXAssembly : ((CLCompiledKernel)compiled).Source;
    }

    public void Dispose()
    {
        backend.Dispose();
        context.Dispose();
    }
}
