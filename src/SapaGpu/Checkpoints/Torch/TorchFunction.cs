namespace SapaGpu.Checkpoints;

/// <summary>The Python functions that the pickle of a state_dict calls.</summary>
internal enum TorchFunction
{
    /// <summary>collections.OrderedDict.</summary>
    OrderedDict,

    /// <summary>torch.Size.</summary>
    Size,

    /// <summary>torch._utils._rebuild_tensor_v2.</summary>
    RebuildTensor,

    /// <summary>torch._utils._rebuild_parameter.</summary>
    RebuildParameter,
}
