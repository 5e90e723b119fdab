namespace SapaGpu.Kernels.Simt;

/// <summary>The taps of a patch along one axis.</summary>
internal static class PatchTaps
{
    /// <summary>How many taps around an index are on the map.</summary>
    public static int OnMap(int index, int length, int window)
    {
        int first = index - window / 2;
        int end = index + window / 2 + 1;
        return (end < length ? end : length) - (first > 0 ? first : 0);
    }
}
