using ILGPU.Runtime.Cuda;
using SapaGpu.DeviceBenchmarks.Code;
using SapaGpu.Devices;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// What the code generators make of the kernels, compiled at the first look on all cores: the PTX of the fast kernels in single
/// precision, of other types, windows and borders than the papers' in turns, and in turns that of the other kernels and the
/// OpenCL C of all.
/// </summary>
internal static class GeneratedCode
{
    private const int Turns = 12;
    private const int FastTurns = 7;

    // Kernels are sorted, and four types in a row: a multiple of two would take the same types every time.
    private const int TypeTurns = 5;

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, PtxListing>> LazyFastAmpere =
        new(() => CompilePtx(
            KernelCatalogue.Fast.Where((kernel, i) => IsInEveryTurn(kernel)
                || TestPart.Includes(i, IsOfThePapers(kernel) ? TypeTurns : FastTurns)),
            CudaArchitecture.SM_80));

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, PtxListing>> LazyGeneralAmpere =
        new(() => CompilePtx(
            OfThisTurn(KernelCatalogue.Inspected.Where(kernel => !kernel.IsFast)), CudaArchitecture.SM_80));

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, PtxListing>> LazyHopper =
        new(() => CompilePtx(OfThisTurn(KernelCatalogue.Fast), CudaArchitecture.SM_90));

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, string>> LazyOpenCL = new(() =>
        KernelCompiler.CompileAll(
            OfThisTurn(KernelCatalogue.Inspected.Where(kernel => !kernel.IsNative)),
            KernelCompiler.ForOpenCL,
            text => text));

    /// <summary>Gets the PTX of this turn's fast kernels for compute capability 8.0.</summary>
    public static IReadOnlyDictionary<KernelInstantiation, PtxListing> Fast => LazyFastAmpere.Value;

    /// <summary>Gets the PTX of the fast kernels and of this turn's others for compute capability 8.0.</summary>
    public static IEnumerable<KeyValuePair<KernelInstantiation, PtxListing>> Ampere => Fast.Concat(
        LazyGeneralAmpere.Value);

    /// <summary>
    /// Gets the PTX of this turn's fast kernels for compute capability 9.0. The code generator chooses nothing else for
    /// it than for 8.0.
    /// </summary>
    public static IReadOnlyDictionary<KernelInstantiation, PtxListing> Hopper => LazyHopper.Value;

    /// <summary>Gets the OpenCL C of this turn's kernels.</summary>
    public static IReadOnlyDictionary<KernelInstantiation, string> OpenCL => LazyOpenCL.Value;

    /// <summary>
    /// Whether a fast kernel is in every turn: the papers' in single precision, and what tests look for in other types, which
    /// differ in reading and writing. Those of tiles of queries are the longest of all.
    /// </summary>
    public static bool IsInEveryTurn(KernelInstantiation kernel) => IsOfThePapers(kernel)
        && !kernel.Operator.StartsWith("CrossTile", StringComparison.Ordinal)
        && (kernel.ElementType == "f32"
            || kernel is { UsesMatrixUnits: true, ElementType: "f16" }
            || kernel.Operator == "WindowAttentionForward");

    // The window kernels are long, and those of one window much like those of another.
    private static bool IsOfThePapers(KernelInstantiation kernel) =>
        kernel.Window is 0 or 5 && kernel.Border is "-" or nameof(BorderRule.ZeroLogit);

    // The few that rely on rounded products are in every turn, for what is added to ILGPU's code.
    private static IEnumerable<KernelInstantiation> OfThisTurn(IEnumerable<KernelInstantiation> kernels) =>
        kernels.Where((kernel, i) => TestPart.Includes(i, Turns) || KernelCode.RoundsProducts(kernel.Kernel));

    private static IReadOnlyDictionary<KernelInstantiation, PtxListing> CompilePtx(
        IEnumerable<KernelInstantiation> kernels, CudaArchitecture architecture) =>
        KernelCompiler.CompileAll(
            kernels.Where(kernel => !kernel.HasNativeCounterpart),
            () => KernelCompiler.ForPtx(architecture),
            text => new PtxListing(text));
}
