using System.Collections.Concurrent;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary>
/// ILGPU's code generators without a device. A compiler serves one thread; the context is set up as the library's is.
/// </summary>
internal sealed class KernelCompiler : IDisposable
{
    private readonly Context context =
        Context.Create(builder => builder.Optimize(OptimizationLevel.O2).CPU(new CPUDevice(2, 1, 1)));

    private readonly Backend backend;
    private readonly string options;

    private KernelCompiler(Func<Context, Backend> createBackend, string options)
    {
        backend = createBackend(context);
        this.options = options;
    }

    // Devices keep the code of the same kernels there.
    private static CodeStore? Store { get; } = CodeStore.OpenDefault();

    /// <summary>Creates a compiler to PTX for an architecture, as current drivers get it.</summary>
    public static KernelCompiler ForPtx(CudaArchitecture architecture) => new(context => new PTXBackend(
        context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_87, null), string.Empty);

    /// <summary>Creates a compiler to OpenCL C for a device that has double precision and no other extension.</summary>
    public static KernelCompiler ForOpenCL() => new(context =>
    {
        var capabilities = new CLCapabilityContext(
            float16: false, float64: true, genericAddressSpace: false, int64_Atomics: false, subGroups: false);
        return new CLBackend(context, capabilities, CLDeviceVendor.Other, CLBackend.MinimumVersion);
    }, "float64");

    /// <summary>
    /// Compiles kernels on all cores; what is made of each text is kept, in the order of the kernels.
    /// </summary>
    public static IReadOnlyDictionary<KernelInstantiation, TText> CompileAll<TText>(
        IEnumerable<KernelInstantiation> kernels, Func<KernelCompiler> create, Func<string, TText> read)
    {
        var all = kernels.ToArray();
        var texts = new TText[all.Length];

        // Compilers go from kernel to kernel, for a new one starts by reading the methods that all kernels share; what
        // Parallel.For keeps itself is made anew for each of its many tasks.
        var idle = new ConcurrentBag<KernelCompiler>();
        Parallel.For(
            0,
            all.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            i =>
            {
                if (!idle.TryTake(out var compiler))
                    compiler = create();
                texts[i] = read(compiler.Compile(all[i]));
                idle.Add(compiler);
            });
        foreach (var compiler in idle)
            compiler.Dispose();
        return new OrderedDictionary<KernelInstantiation, TText>(all.Zip(texts, KeyValuePair.Create));
    }

    /// <summary>The text of a compiled kernel, as the driver gets it.</summary>
    public string Compile(KernelInstantiation kernel)
    {
        var method = typeof(KernelEntry).GetMethod(nameof(KernelEntry.Run))!
            .MakeGenericMethod(kernel.Kernel, kernel.Parameters);
        return KernelCode.TextOf(KernelLoader.Compile(backend, Store, options, kernel.Kernel, method));
    }

    public void Dispose()
    {
        backend.Dispose();
        context.Dispose();
    }
}
