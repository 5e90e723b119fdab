namespace SapaGpu;

/// <summary>Options for opening a device; the defaults suit almost every use.</summary>
public sealed record DeviceOptions
{
    /// <summary>Gets the number of threads of the CPU device, at most 4,096; 0 means one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Gets the width in bits of the vectors of the CPU device: 128, 256 or 512; 0 means the widest that the hardware
    /// supports.
    /// </summary>
    public int VectorBits { get; init; }

    /// <summary>
    /// Gets the bytes of workspace that the backward of window attention may take beside its inputs and outputs, at
    /// least 1; 256 MiB by default. A larger problem is computed in bands of rows. One row of cells, with the rows
    /// whose windows reach it, may need more. Results do not depend on the limit: where sums are taken in bands, on the CPU, an
    /// image takes what its sizes say, and the limit tells only how many images are computed at a time. That is up to 64 MiB for large ratios
    /// with large windows and up to 256 MiB for <see cref="CrossAttention"/>, or four times the key and value of an image in the type that
    /// sums are taken in where that is more. Other operators do not observe the limit.
    /// </summary>
    public long WorkspaceBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Gets whether a CUDA device uses the primary context of the GPU, as libtorch, ONNX Runtime and all other users of
    /// the CUDA runtime do, instead of a separate one. Their pointers can then be passed to
    /// <see cref="FeatureMap{T}.Wrap(ComputeDevice, nint, MapShape, MemoryFormat)"/>, and
    /// <see cref="FeatureMap.DataPointer"/> to them. Devices of other kinds ignore it.
    /// </summary>
    public bool UsesPrimaryContext { get; init; }

    /// <summary>
    /// Gets the stream (a cudaStream_t or CUstream of the primary context) that a CUDA device queues all its calls on.
    /// 0 means the legacy default stream, which libtorch uses by default as well. Calls on one stream run in the order
    /// in which they were queued, whoever queued them. The caller owns the stream, which must outlive the device. Any
    /// value but 0 requires <see cref="UsesPrimaryContext"/>; the per-thread default stream (2) is not supported.
    /// Devices of other kinds do not use it. <see cref="ComputeDevice.OnStream"/> names a stream for single calls.
    /// </summary>
    public nint Stream { get; init; }

    /// <summary>
    /// Gets whether <see cref="ComputeDevice.MeasureTime"/> may be called. On OpenCL this makes every call take a
    /// little longer; on CUDA and the CPU it does not.
    /// </summary>
    public bool MeasuresTime { get; init; }

    /// <summary>
    /// Gets the folder where a CUDA or OpenCL device keeps the code of its kernels for later processes, which then do not compile
    /// it again: seconds for a window operator. It is made when it is first written to; files of other builds of the
    /// library that were not used for a month are removed from it. Null means the folder that the environment variable
    /// <c>SAPAGPU_CODE_FOLDER</c> names, or else <c>sapagpu</c> in the user's folder for caches; an empty text means that
    /// nothing is kept. Where it cannot be read or written nothing is kept either. Whoever can write to it can run code on
    /// the device. The CPU does not use it.
    /// </summary>
    public string? CodeFolder { get; init; }
}
