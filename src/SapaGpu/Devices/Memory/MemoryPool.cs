using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace SapaGpu.Devices;

/// <summary>
/// Keeps the memory of disposed maps and finished workspaces for the next one of about the same size, so that a
/// steady state allocates nothing. A stream works its launches in order, so memory may change hands as soon as the call
/// that used it has been queued; every stream has a pool of its own.
/// </summary>
/// <param name="backend">The device, with the queue of the stream.</param>
/// <param name="makeRoom">Frees what the pools of other streams of the device keep.</param>
internal sealed class MemoryPool(DeviceBackend backend, Action makeRoom) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Lazy<Buffers> buffers = new(() => new Buffers());
    private bool disposed;

    private Dictionary<long, Stack<MemoryBuffer>> Free => buffers.Value.Free;

    private HashSet<MemoryBuffer> Owned => buffers.Value.Owned;

    /// <summary>Gets the bytes held, in use or free.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Gets the bytes in use.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Takes a buffer of at least the asked size; its content is arbitrary.</summary>
    /// <exception cref="InsufficientMemoryException">The device does not have that much memory.</exception>
    public MemoryBuffer Rent(long bytes)
    {
        long size = SizeClass(bytes);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, typeof(ComputeDevice));
            if (Free.TryGetValue(size, out var stack) && stack.TryPop(out var buffer))
            {
                UsedBytes += size;
                return buffer;
            }
            try
            {
                buffer = AllocateOrTrim(size);
            }
            catch (Exception e) when (e is OverflowException || IsOutOfMemory(e))
            {
                throw new InsufficientMemoryException(
                    $"The device could not allocate {bytes:N0} bytes; {HeldBytes:N0} are allocated already. " +
                    "Dispose maps that are no longer needed, or use smaller maps.",
                    e);
            }
            Owned.Add(buffer);
            UsedBytes += size;
            HeldBytes += size;
            return buffer;
        }
    }

    /// <summary>Takes a buffer back.</summary>
    public void Return(MemoryBuffer buffer)
    {
        lock (gate)
        {
            if (disposed)
                return;
            UsedBytes -= buffer.LengthInBytes;
            if (!Free.TryGetValue(buffer.LengthInBytes, out var stack))
                Free.Add(buffer.LengthInBytes, stack = new Stack<MemoryBuffer>());
            stack.Push(buffer);
        }
    }

    /// <summary>Gives memory that is not in use back to the device.</summary>
    public void Trim()
    {
        lock (gate)
        {
            foreach (var stack in Free.Values)
            {
                while (stack.TryPop(out var buffer))
                {
                    Owned.Remove(buffer);
                    HeldBytes -= buffer.LengthInBytes;
                    buffer.Dispose();
                }
            }
            Free.Clear();
        }
    }

    /// <summary>Does that unless another thread is at work in the pool.</summary>
    public void TryTrim()
    {
        if (!gate.TryEnter())
            return;
        try
        {
            Trim();
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => End(freesBuffers: true);

    /// <summary>Ends the pool of a device whose memory is freed as a whole.</summary>
    public void Abandon() => End(freesBuffers: false);

    private void End(bool freesBuffers)
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            if (!buffers.IsValueCreated)
                return;
            buffers.Value.Clear(freesBuffers);
            HeldBytes = 0;
            UsedBytes = 0;
        }
    }

    // Eight sizes to the octave: at most an eighth is lost, and slightly different shapes share their memory.
    private static long SizeClass(long bytes)
    {
        const long Smallest = 256;
        if (bytes <= Smallest)
            return Smallest;
        long step = Math.Max(Smallest, 1L << Math.Max(0, 63 - (int)long.LeadingZeroCount(bytes - 1) - 3));
        return checked((bytes + step - 1) / step * step);
    }

    private MemoryBuffer AllocateOrTrim(long size)
    {
        try
        {
            return backend.Allocate(size);
        }
        catch (Exception e) when (IsOutOfMemory(e))
        {
            Trim();
            makeRoom();
            return backend.Allocate(size);
        }
    }

    // A driver refuses memory for other reasons as well: after a call that failed it refuses everything.
    private static bool IsOutOfMemory(Exception e) => e switch
    {
        CudaException cuda => cuda.Error == nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY),
        CLException openCL => openCL.Error is CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_RESOURCES
            or CLError.CL_OUT_OF_HOST_MEMORY or CLError.CL_INVALID_BUFFER_SIZE,
        _ => e is OutOfMemoryException,
    };

    // ILGPU is loaded with the first buffer, not with the device.
    private sealed class Buffers
    {
        public Dictionary<long, Stack<MemoryBuffer>> Free { get; } = [];

        public HashSet<MemoryBuffer> Owned { get; } = [];

        public void Clear(bool freesBuffers)
        {
            if (freesBuffers)
            {
                foreach (var buffer in Owned)
                    buffer.Dispose();
            }
            Owned.Clear();
            Free.Clear();
        }
    }
}
