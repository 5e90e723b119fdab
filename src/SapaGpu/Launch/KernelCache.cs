using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime;
using SapaGpu.Kernels;

namespace SapaGpu.Launch;

/// <summary>
/// The kernels of a device, compiled at their first launch, and the jobs of vector programs. The slot of each is a number
/// of its own type.
/// </summary>
internal sealed class KernelCache(Accelerator accelerator)
{
    private readonly Lock gate = new();
    private volatile object?[] slots = new object?[16];

    /// <summary>The launcher of a thread-group program.</summary>
    public Action<AcceleratorStream, KernelConfig, TParameters> Group<TKernel, TParameters>()
        where TKernel : struct, IKernel<TParameters>
        where TParameters : struct => Get<TKernel, Action<AcceleratorStream, KernelConfig, TParameters>>(
            () => Load<TParameters>(KernelEntry.Run<TKernel, TParameters>));

    /// <summary>The job of a vector program, which is set anew for every launch.</summary>
    public TileJob<TProgram, TParameters> Job<TProgram, TParameters>()
        where TProgram : struct, ITileProgram<TParameters>
        where TParameters : struct => Get<TProgram, TileJob<TProgram, TParameters>>(() => new());

    private TItem Get<TKernel, TItem>(Func<TItem> create)
        where TItem : class
    {
        int slot = Slot<TKernel>.Index;
        var known = slots;
        if (slot < known.Length && known[slot] is { } loaded)
            return (TItem)loaded;
        lock (gate)
        {
            if (slot >= slots.Length)
            {
                var grown = new object?[Math.Max(slot + 1, slots.Length * 2)];
                slots.CopyTo(grown, 0);
                slots = grown;
            }
            slots[slot] ??= create();
            return (TItem)slots[slot]!;
        }
    }

    // ILGPU's barrier orders global memory only, and what the kernels pass from thread to thread is in local memory. Some
    // drivers order both anyway; the standard does not promise it.
    private Action<AcceleratorStream, KernelConfig, TLaunch> Load<TLaunch>(Action<TLaunch> entryPoint)
        where TLaunch : struct
    {
        if (accelerator.AcceleratorType != AcceleratorType.OpenCL)
            return accelerator.LoadKernel(entryPoint);
        var compiled = (CLCompiledKernel)accelerator.GetBackend().Compile(
            EntryPointDescription.FromExplicitlyGroupedKernel(entryPoint.Method), default);
        var fenced = new CLCompiledKernel(
            accelerator.Context,
            (SeparateViewEntryPoint)EntryPointOf(compiled),
            compiled.Info,
            FenceLocalMemory(compiled.Source),
            compiled.CVersion);
        return accelerator.LoadKernel(fenced)
            .CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, TLaunch>>();
    }

    /// <summary>Lets every barrier of OpenCL C order local memory as well.</summary>
    internal static string FenceLocalMemory(string source) =>
        source.Replace(
            "CLK_GLOBAL_MEM_FENCE", "CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE", StringComparison.Ordinal);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EntryPoint")]
    private static extern EntryPoint EntryPointOf(CompiledKernel kernel);

    private static class SlotCounter
    {
        private static int last = -1;

        public static int Next() => Interlocked.Increment(ref last);
    }

    private static class Slot<TKernel>
    {
        public static readonly int Index = SlotCounter.Next();
    }
}
