using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>Sizes of maps: ones, odd ones, ones that end inside a vector, integer ratios and others.</summary>
internal static class Sizes
{
    /// <summary>What a forward of the reference may cost, in additions; once in a while ten times that.</summary>
    public static long Work(Draw draw) => draw.OnceIn(16) ? 200_000 : 20_000;

    /// <summary>The height and width of a map and of an output.</summary>
    public static (int Height, int Width, int OutputHeight, int OutputWidth) Resized(Draw draw, Draw kernel, int largest)
    {
        var (height, width) = (draw.Int(1, 8), draw.Of(1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 19, 33));
        int ratio = kernel.Of(1, 2, 2, 2, 3, 4);
        return kernel.Int(0, 5) switch
        {
            // Any sizes, down as well as up.
            0 => (height, width, draw.Int(1, Math.Min(18, largest * height)), draw.Int(1, Math.Min(24, largest * width))),

            // The largest ratio, in one direction or both.
            1 => (draw.Int(1, 2), draw.Int(1, 2), largest, draw.Int(1, largest)) is var (h, w, oh, ow)
                ? (h, w, h * oh, w * ow)
                : default,
            _ => (height, width, height * ratio, width * ratio),
        };
    }

    public static int Channels(Draw draw) => draw.Of(1, 2, 3, 4, 5, 8, 8, 16, 16, 17, 20, 32, 33, 64);
}
