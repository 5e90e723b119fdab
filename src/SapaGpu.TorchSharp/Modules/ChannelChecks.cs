using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>What modules ask of the maps that they are called with, before anything is computed.</summary>
internal static class ChannelChecks
{
    /// <summary>The map has the channels that the module was made for.</summary>
    /// <exception cref="ArgumentNullException">There is no map.</exception>
    /// <exception cref="ArgumentException">It has other channels.</exception>
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
