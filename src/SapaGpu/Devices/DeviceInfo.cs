using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>The description of a device, which need not be open.</summary>
/// <param name="Kind">The backend.</param>
/// <param name="Ordinal">The position among the devices of that backend, from 0.</param>
/// <param name="Name">The name of the processor or GPU, as the system or the driver reports it.</param>
/// <param name="MemoryBytes">The memory of the device in bytes; of the CPU, what the process may use.</param>
/// <param name="IsGpu">
/// Whether the device is a GPU; an OpenCL device may be a CPU, and a CUDA device a simulator.
/// </param>
/// <param name="SupportsFloat64">Whether the device supports double precision.</param>
/// <param name="Details">Further properties for people, such as driver version and number of compute units.</param>
public sealed record DeviceInfo(
    DeviceKind Kind,
    int Ordinal,
    string Name,
    long MemoryBytes,
    bool IsGpu,
    bool SupportsFloat64,
    string Details)
{
    /// <summary>
    /// Gets the identifier that <see cref="ComputeDevice.Open(string, DeviceOptions?)"/> takes, such as "cuda" for the
    /// first CUDA device and "cuda:1" for the second.
    /// </summary>
    public string Id => Ordinal == 0 ? KindName : $"{KindName}:{Ordinal}";

    /// <summary>Gets the name of the backend in identifiers: "cpu", "opencl" or "cuda".</summary>
    public string KindName => DeviceNames.Of(Kind);
}
