using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>
/// The kernels of a device, compiled at their first launch, and the jobs of vector programs. The slot of each is a
/// number of its own type.
/// </summary>
internal sealed class KernelCache(Accelerator? accelerator, CodeStore? store)
{
    private readonly Lock gate = new();
    private volatile object?[] slots = new object?[16];

    /// <summary>Gets the number of kernels and jobs that are there.</summary>
    public int Count => slots.Count(slot => slot is not null);

    /// <summary>The launcher of a thread-group program.</summary>
    public Action<AcceleratorStream, KernelConfig, TParameters> Group<TKernel, TParameters>()
        where TKernel : struct, IKernel<TParameters>
        where TParameters : struct => Get<TKernel, Action<AcceleratorStream, KernelConfig, TParameters>>(
            Load<TKernel, TParameters>);

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

    private Action<AcceleratorStream, KernelConfig, TParameters> Load<TKernel, TParameters>()
        where TKernel : struct, IKernel<TParameters>
        where TParameters : struct
    {
        if (accelerator is null)
            throw new NotSupportedException("Not supported on cpu: it runs vector programs only.");
        Action<TParameters> entryPoint = KernelEntry.Run<TKernel, TParameters>;
        return accelerator.AcceleratorType == AcceleratorType.CPU
            ? accelerator.LoadKernel(entryPoint)
            : KernelLoader.Load(accelerator, store, typeof(TKernel), entryPoint.Method)
                .CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, TParameters>>();
    }

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
