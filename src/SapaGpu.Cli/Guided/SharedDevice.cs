namespace SapaGpu.Cli.Guided;

/// <summary>The device of all jobs of a process, opened by the first that needs it.</summary>
internal sealed class SharedDevice(string? id) : IDisposable
{
    private ComputeDevice? device;

    /// <summary>The device, if a job needed it.</summary>
    public string? Id => device?.Id;

    /// <summary>Opens the device, or gives the one that is open.</summary>
    /// <exception cref="DeviceUnavailableException">The device is not available.</exception>
    /// <exception cref="ArgumentException">The text is not a device identifier.</exception>
    public ComputeDevice Open() => device ??= CommonOptions.Open(id);

    /// <summary>Leaves the device to a call that cannot be stopped, which the end of the process ends.</summary>
    public void Abandon() => device = null;

    /// <inheritdoc/>
    public void Dispose() => device?.Dispose();
}
