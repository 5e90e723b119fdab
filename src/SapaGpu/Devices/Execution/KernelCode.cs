using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>
/// Compiles thread-group programs to the code that a driver takes: ILGPU's output, with the barriers, roundings and
/// limits that ILGPU cannot express added.
/// </summary>
internal static partial class KernelCode
{
    private const int KernelsBetweenForgetting = 16;

    private static readonly ConditionalWeakTable<Context, StrongBox<int>> Compilations = [];

    /// <summary>Generates the code of a program; one at a time for a context.</summary>
    /// <param name="backend">The code generator of the device.</param>
    /// <param name="kernel">The program, an <see cref="IKernel{TParameters}"/>.</param>
    /// <param name="entryPoint">The method that runs it.</param>
    public static CompiledKernel Compile(Backend backend, Type kernel, MethodInfo entryPoint)
    {
        var compiled = backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(entryPoint), default);
        ForgetMethods(backend.Context);
        bool rounds = RoundsProducts(kernel);
        int registers = RegisterLimit(kernel);
        return compiled switch
        {
            PTXCompiledKernel ptx when rounds || registers > 0 => CreatePtx(
                backend.Context,
                EntryPointOf(ptx),
                ptx.Info,
                LimitRegisters(rounds ? RoundProducts(ptx.PTXAssembly) : ptx.PTXAssembly, registers)),
            CLCompiledKernel openCL => new CLCompiledKernel(
                backend.Context,
                (SeparateViewEntryPoint)EntryPointOf(openCL),
                openCL.Info,
                (rounds ? "#pragma OPENCL FP_CONTRACT OFF\n" : string.Empty) + CountInGlobalMemory(FenceLocalMemory(openCL.Source)),
                openCL.CVersion),
            _ => compiled,
        };
    }

    /// <summary>The code that a driver takes.</summary>
    public static string TextOf(CompiledKernel compiled) =>
        compiled is PTXCompiledKernel ptx ? ptx.PTXAssembly : ((CLCompiledKernel)compiled).Source;

    /// <summary>Whether a program, or the map program that it runs, relies on rounded products.</summary>
    internal static bool RoundsProducts(Type kernel) => kernel.GetGenericArguments()
        .Append(kernel)
        .Any(type => type.IsDefined(typeof(RoundedProductsAttribute), inherit: false));

    /// <summary>The registers of a thread: the least that a program or what it is made of asks for; 0 without a limit.</summary>
    internal static int RegisterLimit(Type kernel) => kernel.GetGenericArguments()
        .Append(kernel)
        .Select(type => type.GetCustomAttribute<RegisterLimitAttribute>()?.Registers ?? 0)
        .Where(registers => registers > 0)
        .DefaultIfEmpty()
        .Min();

    // ILGPU's barrier orders global memory only, and what the kernels pass from thread to thread is in local memory.
    // Some drivers order both anyway; the standard does not promise it.
    private static string FenceLocalMemory(string source) =>
        source.Replace(
            "CLK_GLOBAL_MEM_FENCE", "CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE", StringComparison.Ordinal);

    // ILGPU writes the atomic functions of OpenCL 2.0; those of 1.2 are in every version. All counters are in global memory.
    private static string CountInGlobalMemory(string source) =>
        AtomicAddition().Replace(source, "atomic_add((volatile global int*)");

    // A multiplication that names its rounding is never joined with an addition.
    private static string RoundProducts(string ptx) => Product().Replace(ptx, "mul.rn.f$1");

    // A directive stands between the parameters of the entry point and its body.
    private static string LimitRegisters(string ptx, int registers) => registers == 0
        ? ptx
        : EntryPointBody().Replace(
            ptx, FormattableString.Invariant($"$1\n.maxnreg {registers}\n{{"), count: 1);

    // ILGPU keeps everything that it has read of every kernel, megabytes each, for as long as the device is open. What
    // kernels have in common is worth keeping for a while: to read it anew for each takes half as long again.
    private static void ForgetMethods(Context context)
    {
        if (++Compilations.GetValue(context, _ => new StrongBox<int>()).Value % KernelsBetweenForgetting == 0)
            IntermediateCodeOf(context).ClearCache(ClearCacheMode.Default);
    }

    [GeneratedRegex(@"\bmul\.f(32|64)\b")]
    private static partial Regex Product();

    [GeneratedRegex(@"\batomic_fetch_add\s*\(\s*\(atomic_int\s*\*\)")]
    private static partial Regex AtomicAddition();

    [GeneratedRegex(@"(\.entry[^{]*\))\s*\{")]
    private static partial Regex EntryPointBody();

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IRContext")]
    private static extern IRContext IntermediateCodeOf(Context context);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EntryPoint")]
    internal static extern EntryPoint EntryPointOf(CompiledKernel kernel);

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    internal static extern PTXCompiledKernel CreatePtx(
        Context context, EntryPoint entryPoint, CompiledKernel.KernelInfo? info, string ptxAssembly);
}
