using System.Collections.Concurrent;

namespace SapaGpu.Onnx.Runtime;

/// <summary>A part of ONNX Runtime that runs nodes: which operators it is given, and on what device they compute.</summary>
internal abstract class ExecutionProvider
{
    /// <summary>The processor, on which nodes run that no other provider takes.</summary>
    public static readonly ExecutionProvider Cpu = new Processor();

    /// <summary>NVIDIA's GPUs.</summary>
    public static readonly ExecutionProvider Cuda = new Gpus();

    /// <summary>Gets the name that ONNX Runtime knows it by; null for that of the CPU.</summary>
    public abstract string? Name { get; }

    /// <summary>The device of a run.</summary>
    /// <param name="api">The functions of ONNX Runtime.</param>
    /// <param name="context">An OrtKernelContext*.</param>
    public abstract ComputeDevice DeviceOf(OrtApi api, nint context);

    private sealed class Processor : ExecutionProvider
    {
        private readonly Lazy<ComputeDevice> device = new(() => ComputeDevice.Open("cpu"));

        public override string? Name => null;

        public override ComputeDevice DeviceOf(OrtApi api, nint context) => device.Value;
    }

    // One open device of every GPU serves all sessions, whatever streams they have.
    private sealed class Gpus : ExecutionProvider
    {
        private readonly ConcurrentDictionary<int, Lazy<ComputeDevice>> devices = new();

        public override string? Name => "CUDAExecutionProvider";

        public override ComputeDevice DeviceOf(OrtApi api, nint context) => devices
            .GetOrAdd(api.DeviceNumber(context), static number => new Lazy<ComputeDevice>(
                () => ComputeDevice.Open(DeviceKind.Cuda, number, new DeviceOptions { UsesPrimaryContext = true })))
            .Value.OnStream(api.ComputeStream(context));
    }
}
