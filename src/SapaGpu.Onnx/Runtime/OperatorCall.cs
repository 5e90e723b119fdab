namespace SapaGpu.Onnx.Runtime;

/// <summary>A run of a node: its operands in the memory of the session, on the device and the stream that the session names.</summary>
/// <param name="api">The functions of ONNX Runtime.</param>
/// <param name="context">An OrtKernelContext*.</param>
/// <param name="device">The device that has the memory.</param>
internal readonly struct OperatorCall(OrtApi api, nint context, ComputeDevice device)
{
    public FeatureMap<T> Input<T>(int index, string name)
        where T : unmanaged
    {
        var (data, shape) = api.Input(context, index, name);
        return FeatureMap<T>.Wrap(device, data, shape);
    }

    public FeatureMap<T> Output<T>(MapShape shape)
        where T : unmanaged => FeatureMap<T>.Wrap(device, api.Output(context, shape), shape);
}
