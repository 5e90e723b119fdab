namespace SapaGpu.Kernels.Simt;

/// <summary>One axis of a mirrored border that does not repeat the edge.</summary>
internal static class MirrorAxis
{
    /// <summary>The index on the map of one at most a length outside it: −1 is 1, n is n − 2.</summary>
    public static int Of(int index, int length)
    {
        if (index < 0)
            return -index;
        return index < length ? index : 2 * (length - 1) - index;
    }
}
