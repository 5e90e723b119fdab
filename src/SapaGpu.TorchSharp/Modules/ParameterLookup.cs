using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// Looks up parameters and buffers by their names in a state_dict, at every call, since moving a module replaces them.
/// </summary>
internal static class ParameterLookup
{
    /// <summary>A parameter that the module has.</summary>
    public static torch.Tensor Required(this torch.nn.Module module, string name) => module.Optional(name)
        ?? throw new InvalidOperationException(
            $"The module {module.GetName()} has no parameter '{name}'; it may have been disposed.");

    /// <summary>A buffer that the module has.</summary>
    public static torch.Tensor RequiredBuffer(this torch.nn.Module module, string name) => module.get_buffer(name)
        ?? throw new InvalidOperationException(
            $"The module {module.GetName()} has no buffer '{name}'; it may have been disposed.");

    /// <summary>A parameter, or null.</summary>
    public static torch.Tensor? Optional(this torch.nn.Module module, string name) => module.get_parameter(name);
}
