using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using ILGPU;
using ILGPU.Runtime;

namespace SapaGpu.Devices;

/// <summary>
/// The CPU, where calls have finished when they return. It uses ILGPU's views but no context of ILGPU, which would take
/// longer to open than many programs run.
/// </summary>
internal sealed unsafe class HostBackend : DeviceBackend
{
    private static DeviceInfo? info;

    public override DeviceKind Kind => DeviceKind.Cpu;

    // Not before somebody asks: it takes longer than opening the device.
    public override DeviceInfo Info => info ??= Describe();

    public static DeviceInfo Describe() => new(
        DeviceKind.Cpu,
        0,
        ProcessorName(),
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        IsGpu: false,
        SupportsFloat64: true,
        $"{Environment.ProcessorCount} threads, {VectorWidth.Preferred}-bit vectors");

    public override MemoryBuffer Allocate(long bytes) => HostMemoryBuffer.Allocate(bytes);

    public override MemoryBuffer Wrap(nint pointer, long bytes) => HostMemoryBuffer.Wrap(pointer, bytes);

    public override CudaScope Enter() => default;

    public override void Write<T>(in ArrayView<T> target, ReadOnlySpan<T> values) =>
        values.CopyTo(new Span<T>(Address(in target), values.Length));

    public override void WriteRuns<T>(
        in ArrayView<T> target, ReadOnlySpan<T> values, int run, Func<long, long> positionOf)
    {
        var pointer = (T*)Address(in target);
        for (int at = 0; at < values.Length; at += run)
            values.Slice(at, run).CopyTo(new Span<T>(pointer + positionOf(at), run));
    }

    public override void Read<T>(in ArrayView<T> source, Span<T> values) =>
        new ReadOnlySpan<T>(Address(in source), values.Length).CopyTo(values);

    public override void Copy<T>(in ArrayView<T> source, in ArrayView<T> target) =>
        new ReadOnlySpan<T>(Address(in source), checked((int)source.Length))
            .CopyTo(new Span<T>(Address(in target), checked((int)target.Length)));

    public override void Clear<T>(in ArrayView<T> target) =>
        NativeMemory.Clear(Address(in target), (nuint)target.LengthInBytes);

    public override void Synchronize()
    {
    }

    public override TimeSpan MeasureTime(Action action)
    {
        long begin = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(begin);
    }

    public override void Free(MemoryPool pool) => pool.Dispose();

    public override void Close()
    {
    }

    private static void* Address<T>(in ArrayView<T> view)
        where T : unmanaged => Unsafe.AsPointer(ref view.LoadEffectiveAddress());

    private static string ProcessorName()
    {
        const string Source = "/proc/cpuinfo";
        if (File.Exists(Source))
        {
            // The first core says it near the beginning.
            using var file = File.OpenHandle(Source);
            Span<byte> start = stackalloc byte[2048];
            start = start[..RandomAccess.Read(file, start, 0)];
            int at = start.IndexOf("model name"u8);
            if (at >= 0)
            {
                var line = start[at..];
                int end = line.IndexOf((byte)'\n');
                line = line[(line.IndexOf((byte)':') + 1)..(end < 0 ? line.Length : end)];
                return Encoding.UTF8.GetString(line).Trim();
            }
        }
        return Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
