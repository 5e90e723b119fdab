namespace SapaGpu;

/// <summary>Settings of an opened device; the defaults serve almost everyone.</summary>
public sealed record DeviceOptions
{
    /// <summary>Gets the threads that the CPU device uses; 0 means one for every processor.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Gets the width in bits of the vectors that the CPU device computes with: 128, 256 or 512; 0 means the widest
    /// that the machine has in hardware.
    /// </summary>
    public int VectorBits { get; init; }

    /// <summary>
    /// Gets the bytes of workspace that a backward pass may take beside its inputs and outputs; a larger problem is
    /// worked in bands of rows. A single row of cells with its neighbours may exceed it.
    /// </summary>
    public long WorkspaceBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Gets whether a CUDA device works in the primary context of the GPU, where libtorch, ONNX Runtime and everything
    /// else that is written for CUDA's runtime keeps its memory, rather than in a context of its own. Pointers of
    /// theirs can then be given to <see cref="FeatureMap{T}.Wrap(ComputeDevice, nint, MapShape, MemoryFormat)"/>, and
    /// <see cref="FeatureMap.DataPointer"/> to them. Devices of other kinds ignore it.
    /// </summary>
    public bool UsesPrimaryContext { get; init; }

    /// <summary>
    /// Gets the stream (a cudaStream_t or CUstream of the primary context) that a CUDA device queues all its calls on;
    /// 0 means the legacy default stream, which libtorch uses too unless it is told otherwise. Calls on one stream run
    /// in the order in which they were queued, whoever queued them. The stream stays its owner's and must outlive the
    /// device. A device whose <see cref="UsesPrimaryContext"/> is false has none but 0; devices of other kinds ignore
    /// it.
    /// </summary>
    public nint Stream { get; init; }

    /// <summary>
    /// Gets whether <see cref="ComputeDevice.MeasureTime"/> may be called. A queue of OpenCL that keeps times takes a
    /// little longer for every call; CUDA and the CPU do not.
    /// </summary>
    public bool MeasuresTime { get; init; }
}
