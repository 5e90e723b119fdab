namespace SapaGpu.Kernels.Contracts;

/// <summary>Where the taps of a window lie along one axis.</summary>
internal static class AxisTaps
{
    /// <summary>The nearest position inside the map.</summary>
    public static int Clamp(int position, int size)
    {
        int low = position > 0 ? position : 0;
        return low < size ? low : size - 1;
    }
}
