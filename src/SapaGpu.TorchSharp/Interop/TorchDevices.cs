using System.Collections.Concurrent;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// The devices that calls run on, which are those of the tensors. The CPU uses as many threads as torch, a GPU torch's
/// context and default stream, which is the only one that TorchSharp queues on.
/// </summary>
internal static class TorchDevices
{
    private static readonly ConcurrentDictionary<int, Lazy<ComputeDevice>> Processors = new();
    private static readonly Dictionary<int, ComputeDevice> Gpus = [];

    /// <summary>The device of SapaGpu for a device of torch.</summary>
    /// <exception cref="NotSupportedException">
    /// The kind of device is not supported, or the GPU cannot be opened.
    /// </exception>
    public static ComputeDevice Of(torch.Device device) => device.type switch
    {
        DeviceType.CPU => Processor(),
        DeviceType.CUDA => Gpu(device),
        _ => throw new NotSupportedException($"Tensors on {device} are not supported; move them with cpu()."),
    };

    private static ComputeDevice Processor() => Processors.GetOrAdd(
        torch.get_num_threads(),
        threads => new Lazy<ComputeDevice>(
            () => ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = threads }))).Value;

    private static ComputeDevice Gpu(torch.Device device)
    {
        lock (Gpus)
        {
            if (Gpus.TryGetValue(device.index, out var opened))
                return opened;
            try
            {
                opened = ComputeDevice.Open(
                    DeviceKind.Cuda, device.index, new DeviceOptions { UsesPrimaryContext = true });
            }
            catch (DeviceUnavailableException e)
            {
                throw new NotSupportedException(
                    $"Tensors on {device} are not supported on this machine; move them with cpu(). {e.Message}", e);
            }
            Gpus.Add(device.index, opened);
            return opened;
        }
    }
}
