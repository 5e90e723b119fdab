using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The checks of modules on the maps that they are called with.</summary>
internal static class ChannelChecks
{
    /// <summary>Checks that a map has the channels that the module was created for.</summary>
    /// <exception cref="ArgumentNullException">The map is null.</exception>
    /// <exception cref="ArgumentException">The map has another rank or number of channels.</exception>
    public static void Require(torch.nn.Module module, string name, torch.Tensor map, int channels)
    {
        ArgumentNullException.ThrowIfNull(map, name);
        if (map.dim() != 4 || map.shape[1] != channels)
        {
            throw new ArgumentException(
                $"{module.GetName()}: expected '{name}' to be [B, {channels}, H, W], but got a tensor of shape " +
                $"[{string.Join(", ", map.shape)}].",
                name);
        }
    }
}
