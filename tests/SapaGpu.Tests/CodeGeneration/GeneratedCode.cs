using System.Collections.Concurrent;
using ILGPU.Runtime.Cuda;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>What the code generators make of the kernels, compiled at the first look on all cores.</summary>
internal static class GeneratedCode
{
    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, PtxListing>> LazyAmpere =
        new(() => CompilePtx(KernelCatalogue.Inspected, CudaArchitecture.SM_80));

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, PtxListing>> LazyHopper =
        new(() => CompilePtx(KernelCatalogue.Fast, CudaArchitecture.SM_90));

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, string>> LazyOpenCL =
        new(() => Compile(KernelCatalogue.Inspected, KernelCompiler.ForOpenCL, text => text));

    /// <summary>Gets the PTX of every kernel for compute capability 8.0.</summary>
    public static IReadOnlyDictionary<KernelInstantiation, PtxListing> Ampere => LazyAmpere.Value;

    /// <summary>
    /// Gets the PTX of the fast kernels for compute capability 9.0. The code generator chooses nothing else for it than
    /// for 8.0, so compiling all kernels once more would only take time.
    /// </summary>
    public static IReadOnlyDictionary<KernelInstantiation, PtxListing> Hopper => LazyHopper.Value;

    /// <summary>Gets the OpenCL C of every kernel.</summary>
    public static IReadOnlyDictionary<KernelInstantiation, string> OpenCL => LazyOpenCL.Value;

    private static Dictionary<KernelInstantiation, PtxListing> CompilePtx(
        IEnumerable<KernelInstantiation> kernels, CudaArchitecture architecture) =>
        Compile(kernels, () => KernelCompiler.ForPtx(architecture), text => new PtxListing(text));

    private static Dictionary<KernelInstantiation, TText> Compile<TText>(
        IEnumerable<KernelInstantiation> kernels, Func<KernelCompiler> createCompiler, Func<string, TText> read)
    {
        var texts = new Dictionary<KernelInstantiation, TText>();

        // Compilers go from kernel to kernel, for a new one starts by reading the methods that all kernels share; what
        // Parallel.ForEach keeps itself is made anew for each of its many tasks.
        var idle = new ConcurrentBag<KernelCompiler>();
        Parallel.ForEach(
            kernels,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            kernel =>
            {
                if (!idle.TryTake(out var compiler))
                    compiler = createCompiler();
                var text = read(compiler.Compile(kernel));
                idle.Add(compiler);
                lock (texts)
                    texts.Add(kernel, text);
            });
        foreach (var compiler in idle)
            compiler.Dispose();
        return texts;
    }
}
