using System.Runtime.CompilerServices;

namespace SapaGpu.Guided;

/// <summary>
/// CIE L*a*b* (D65) of sRGB colours, scaled so that every channel has a range of about 1. Distances follow what the eye sees better
/// than those of red, green and blue: objects differ in hue where they do not in brightness.
/// </summary>
internal static class LabColour
{
    private const float LightnessUnit = 1f / 100;
    private const float HueUnit = 1f / 80;

    // Steps of a table that is interpolated linearly: errors stay far below those of 8 bits.
    private const int CubeRootSteps = 4096;

    private static readonly float[] LinearOf = MakeLinear();
    private static readonly float[] CubeRootOf = MakeCubeRoot();

    /// <summary>Converts a colour whose samples are from 0 to 1, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(Span<float> colour)
    {
        float red = Linear(colour[0]), green = Linear(colour[1]), blue = Linear(colour[2]);
        float x = CubeRoot((0.412453f * red + 0.357580f * green + 0.180423f * blue) / 0.950456f);
        float y = CubeRoot(0.212671f * red + 0.715160f * green + 0.072169f * blue);
        float z = CubeRoot((0.019334f * red + 0.119193f * green + 0.950227f * blue) / 1.088754f);
        colour[0] = (116 * y - 16) * LightnessUnit;
        colour[1] = 500 * (x - y) * HueUnit;
        colour[2] = 200 * (y - z) * HueUnit;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Linear(float sample) => Interpolate(LinearOf, sample * byte.MaxValue);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float CubeRoot(float value) => Interpolate(CubeRootOf, value * CubeRootSteps);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Interpolate(float[] table, float position)
    {
        int index = Math.Clamp((int)position, 0, table.Length - 2);
        return table[index] + (table[index + 1] - table[index]) * (position - index);
    }

    private static float[] MakeLinear() =>
    [
        .. Enumerable.Range(0, byte.MaxValue + 1).Select(i => i / (double)byte.MaxValue)
            .Select(c => (float)(c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4))),
    ];

    private static float[] MakeCubeRoot() =>
    [
        .. Enumerable.Range(0, CubeRootSteps + 1).Select(i => i / (double)CubeRootSteps)
            .Select(t => (float)(t > 0.008856 ? Math.Cbrt(t) : 7.787 * t + 16 / 116.0)),
    ];
}
