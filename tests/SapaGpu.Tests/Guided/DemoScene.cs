using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>
/// A drawn landscape that looks enough like a photo: shaded, textured things, some of them thin, with the class, the
/// depth and the mask of every pixel. The same in every run.
/// </summary>
internal sealed class DemoScene
{
    private const int SubSamples = 3;
    private const double Horizon = 0.5;
    private const float FarAway = 40;

    private DemoScene(int height, int width)
    {
        Photo = new Photo(height, width);
        Labels = new Raster(height, width, 1);
        Mask = new Raster(height, width, 1);
        Depth = new Raster(height, width, 1);
    }

    private enum Thing
    {
        Sky,
        Hill,
        Meadow,
        Path,
        House,
        Roof,
        Tree,
        Fence,
        Ball,
    }

    /// <summary>The photo.</summary>
    public Photo Photo { get; }

    /// <summary>The class of every pixel, an index into <see cref="Palette"/>.</summary>
    public Raster Labels { get; }

    /// <summary>255 where the tree and the ball are.</summary>
    public Raster Mask { get; }

    /// <summary>Nearness from 1 to 255; 0, which is unknown, in the sky.</summary>
    public Raster Depth { get; }

    /// <summary>The colours of the classes.</summary>
    public static Palette Palette { get; } = new(
        4,
        [
            120, 170, 230, 90, 110, 140, 110, 170, 70, 210, 180, 130, 230, 220, 200, 180, 70, 50, 30, 100, 40, 110, 80,
            60, 230, 50, 60,
        ],
        []);

    /// <summary>Draws the landscape.</summary>
    public static DemoScene Draw(int height, int width)
    {
        var scene = new DemoScene(height, width);
        Parallel.For(0, height, row =>
        {
            for (int column = 0; column < width; column++)
                scene.DrawPixel(row, column);
        });
        return scene;
    }

    private void DrawPixel(int row, int column)
    {
        // Across goes from 0 to the proportion of the sides, down from 0 to 1.
        double size = Photo.Height;
        double down = (row + 0.5) / size, across = (column + 0.5) / size;
        var (thing, distance) = ThingAt(down, across);
        Labels.PixelAt(row, column)[0] = (float)thing;
        Mask.PixelAt(row, column)[0] = thing is Thing.Tree or Thing.Ball ? byte.MaxValue : 0;
        Depth.PixelAt(row, column)[0] = thing == Thing.Sky ? 0 : MathF.Round(1 + 254 / (1 + distance / 4));

        Span<double> sum = stackalloc double[Photo.Channels];
        for (int i = 0; i < SubSamples * SubSamples; i++)
        {
            double subDown = (row + (i / SubSamples + 0.5) / SubSamples) / size;
            double subAcross = (column + (i % SubSamples + 0.5) / SubSamples) / size;
            AddColour(ThingAt(subDown, subAcross).Thing, subDown, subAcross, sum);
        }
        var pixel = Photo.PixelAt(row, column);
        for (int c = 0; c < pixel.Length; c++)
        {
            double grain = 5 * (Noise(row * 3 + c, column * 7) - 0.5);
            pixel[c] = (byte)Math.Clamp(sum[c] / (SubSamples * SubSamples) + grain, 0, 255);
        }
    }

    private static (Thing Thing, float Distance) ThingAt(double down, double across)
    {
        if (Ball.Contains(down, across))
            return (Thing.Ball, 2);
        if (IsFence(down, across))
            return (Thing.Fence, 3);
        if (IsTree(down, across))
            return (Thing.Tree, 5);
        if (Math.Abs(across - 0.27) < 0.2 - (0.42 - down) * 1.4 && down is > 0.29 and < 0.42)
            return (Thing.Roof, 9);
        if (across is > 0.12 and < 0.42 && down is > 0.4 and < 0.64)
            return (Thing.House, 9);
        double hills = Horizon - 0.07 - 0.04 * Math.Sin(across * 5) - 0.02 * Math.Sin(across * 17 + 1);
        if (down < Horizon)
            return down < hills ? (Thing.Sky, float.PositiveInfinity) : (Thing.Hill, FarAway);
        float ground = (float)Math.Min(FarAway, 0.9 / (down - Horizon + 0.01));
        double middle = 0.62 + 0.15 * Math.Sin((down - Horizon) * 7);
        return Math.Abs(across - middle) < 0.012 + 0.3 * (down - Horizon) * (down - Horizon) * 2
            ? (Thing.Path, ground)
            : (Thing.Meadow, ground);
    }

    private static bool IsTree(double down, double across)
    {
        double trunk = 0.012 + 0.02 * Math.Max(0, down - 0.7);
        if (down is > 0.4 and < 0.8 && Math.Abs(across - 1.02 - 0.01 * Math.Sin(down * 20)) < trunk)
            return true;
        double branch = 0.48 - 0.6 * (across - 1.02);
        if (across is > 1.02 and < 1.2 && Math.Abs(down - branch) < 0.006)
            return true;
        double fromCrown = Math.Sqrt(Math.Pow((across - 1.02) / 1.15, 2) + Math.Pow(down - 0.26, 2));
        double leaves = 0.17 + 0.05 * (SmoothNoise(down * 22, across * 22) - 0.5)
            + 0.05 * (SmoothNoise(down * 60, across * 60) - 0.5);
        return fromCrown < leaves;
    }

    private static bool IsFence(double down, double across)
    {
        bool isPost = Math.Abs(across % 0.16 - 0.08) < 0.007 && down is > 0.72 and < 0.93;
        bool isRail = Math.Abs(down - 0.77) < 0.005 || Math.Abs(down - 0.85) < 0.005;
        return across > 0.74 ? false : isPost || isRail;
    }

    private static void AddColour(Thing thing, double down, double across, Span<double> sum)
    {
        double fine = SmoothNoise(down * 90, across * 90) - 0.5, coarse = SmoothNoise(down * 9, across * 9) - 0.5;
        var (red, green, blue) = thing switch
        {
            Thing.Sky => (110 + 170 * down + 60 * coarse, 160 + 110 * down + 40 * coarse, 225 + 30 * down),
            Thing.Hill => (95 + 30 * coarse, 112 + 30 * coarse, 130 + 20 * fine),
            Thing.Meadow => (95 + 70 * coarse + 40 * fine, 135 + 50 * coarse + 50 * fine, 55 + 30 * fine),
            Thing.Path => (196 + 30 * fine, 172 + 30 * fine, 132 + 25 * fine),
            Thing.House => HouseColour(down, across, fine),
            Thing.Roof => (150 + 20 * Math.Sin(down * 400) + 30 * fine, 62 + 10 * Math.Sin(down * 400), 48),
            Thing.Tree => down > 0.42
                ? (86 + 50 * fine, 62 + 40 * fine, 42 + 20 * fine)
                : (38 + 50 * fine + 20 * coarse, 82 + 80 * fine + 30 * coarse, 30 + 40 * fine),
            Thing.Fence => (122 + 60 * fine, 96 + 50 * fine, 72 + 40 * fine),
            _ => Ball.Colour(down, across),
        };
        sum[0] += red;
        sum[1] += green;
        sum[2] += blue;
    }

    private static (double Red, double Green, double Blue) HouseColour(double down, double across, double fine)
    {
        bool isWindow = down is > 0.46 and < 0.54 && across % 0.13 is > 0.03 and < 0.09;
        double light = 205 - 60 * (across - 0.12) / 0.3 + 14 * fine;
        return isWindow ? (60, 74, 92) : (light, light * 0.95, light * 0.84);
    }

    /// <summary>Chance numbers from 0 to 1 on a grid, smooth between.</summary>
    private static double SmoothNoise(double down, double across)
    {
        int row = (int)Math.Floor(down), column = (int)Math.Floor(across);
        double y = down - row, x = across - column;
        y = y * y * (3 - 2 * y);
        x = x * x * (3 - 2 * x);
        return double.Lerp(
            double.Lerp(Noise(row, column), Noise(row, column + 1), x),
            double.Lerp(Noise(row + 1, column), Noise(row + 1, column + 1), x),
            y);
    }

    private static double Noise(int row, int column)
    {
        uint mixed = unchecked((uint)row * 0x9e3779b1u ^ (uint)column * 0x85ebca77u);
        mixed = unchecked((mixed ^ mixed >> 15) * 0x2c1b3c6du);
        mixed = unchecked((mixed ^ mixed >> 12) * 0x297a2d39u);
        return (mixed ^ mixed >> 15) / (double)uint.MaxValue;
    }

    /// <summary>A shiny ball in front.</summary>
    private static class Ball
    {
        private const double Down = 0.83;
        private const double Across = 0.98;
        private const double Radius = 0.1;

        public static bool Contains(double down, double across) =>
            Math.Pow(down - Down, 2) + Math.Pow(across - Across, 2) < Radius * Radius;

        public static (double Red, double Green, double Blue) Colour(double down, double across)
        {
            double y = (down - Down) / Radius, x = (across - Across) / Radius;
            double z = Math.Sqrt(Math.Max(0, 1 - y * y - x * x));
            double light = Math.Max(0.15, (-0.55 * x - 0.65 * y + 0.55 * z) / 1.02);
            double shine = 190 * Math.Pow(light, 24);
            bool isStripe = Math.Abs(y + 0.3 * x) < 0.18;
            return isStripe
                ? (235 * light + shine, 225 * light + shine, 215 * light + shine)
                : (215 * light + shine, 40 * light + shine, 46 * light + shine);
        }
    }
}
