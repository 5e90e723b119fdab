using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>What is known of a device before it is opened.</summary>
/// <param name="Kind">The backend.</param>
/// <param name="Ordinal">The position among the devices of that backend, from 0.</param>
/// <param name="Name">The name that the driver gives.</param>
/// <param name="MemoryBytes">The memory of the device, in bytes.</param>
/// <param name="IsGpu">
/// Whether the device is a GPU; an OpenCL device may be a processor, and a CUDA device the simulation of one.
/// </param>
/// <param name="SupportsFloat64">Whether the device computes in double precision.</param>
/// <param name="Details">Backend, version and limits, in words.</param>
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
    /// Gets the identifier that <see cref="ComputeDevice.Open(string, DeviceOptions?)"/> takes, such as "cuda:0".
    /// </summary>
    public string Id => Ordinal == 0 ? KindName : $"{KindName}:{Ordinal}";

    /// <summary>Gets the backend as it is written in identifiers.</summary>
    public string KindName => DeviceNames.Of(Kind);
}
