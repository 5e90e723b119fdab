namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of the patches around the pixels of every channel of an image, and of their adjoint.</summary>
internal struct PatchParameters<TStorage>
    where TStorage : unmanaged
{
    /// <summary>C, the channels.</summary>
    public int Channels;

    /// <summary>H, the rows.</summary>
    public int Height;

    /// <summary>W, the columns.</summary>
    public int Width;

    /// <summary>K, the odd width of a patch.</summary>
    public int Window;

    /// <summary>The image, or its gradient, [1, C, H, W].</summary>
    public MapView<TStorage> Image;

    /// <summary>
    /// The patches, or their gradient, [C, K², H, W]: 0 outside the map, and divided by the number of taps on it.
    /// </summary>
    public MapView<TStorage> Patches;
}
