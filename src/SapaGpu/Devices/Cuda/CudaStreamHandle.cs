namespace SapaGpu.Devices;

/// <summary>Streams of CUDA by the handles that other code knows them by: a cudaStream_t or CUstream.</summary>
internal static class CudaStreamHandle
{
    /// <summary>The legacy default stream.</summary>
    public const nint Default = 0;

    // What CUDA calls the two default streams where 0 could mean either.
    private const nint Legacy = 1;
    private const nint PerThread = 2;

    /// <summary>Returns the stream that a handle means.</summary>
    /// <param name="stream">The handle.</param>
    /// <param name="usesPrimaryContext">Whether the device is in the primary context, where streams of others are.</param>
    /// <param name="parameter">The name of the handle in an exception.</param>
    /// <exception cref="ArgumentException">A device cannot queue on it.</exception>
    public static nint Checked(nint stream, bool usesPrimaryContext, string parameter)
    {
        if (stream == Default)
            return Default;
        if (!usesPrimaryContext)
        {
            throw new ArgumentException(
                "A stream belongs to the primary context; open the device with UsesPrimaryContext, or leave the stream at 0.",
                parameter);
        }
        return stream switch
        {
            Legacy => Default,
            PerThread => throw new ArgumentException(
                "A stream must be one stream for all threads; got 2, the default stream of each thread.", parameter),
            _ => stream,
        };
    }
}
