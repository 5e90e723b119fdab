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

    /// <summary>torch._utils._rebuild_tensor_v3, for the types that have no class of storages.</summary>
    RebuildTypedTensor,

    /// <summary>torch._utils._rebuild_parameter, and _rebuild_parameter_with_state.</summary>
    RebuildParameter,

    /// <summary>torch._tensor._rebuild_from_type_v2, for tensors with attributes.</summary>
    RebuildFromType,
}
