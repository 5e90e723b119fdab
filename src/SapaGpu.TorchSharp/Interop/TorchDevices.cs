using System.Collections.Concurrent;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The devices that calls run on: that of the tensors, with as many threads as torch uses.</summary>
internal static class TorchDevices
{
    private static readonly ConcurrentDictionary<int, Lazy<Device>> Processors = new();

    /// <summary>The device of SapaGpu over a device of torch.</summary>
    /// <exception cref="NotSupportedException">There is none for that kind.</exception>
    public static Device Of(torch.Device device)
    {
        if (device.type != DeviceType.CPU)
        {
            throw new NotSupportedException(
                $"Tensors of torch on {device} are not supported; move them with cpu().");
        }
        return Processors.GetOrAdd(
            torch.get_num_threads(),
            threads => new Lazy<Device>(() => Device.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = threads })))
            .Value;
    }
}
