namespace SapaGpu.Tests;

/// <summary>Resampling in plain loops, written from its definition.</summary>
public static class ReferenceInterpolation
{
    public static ReferenceMap Resize(
        ReferenceMap input, int height, int width, InterpolationMode mode, bool alignCorners = false) =>
        mode == InterpolationMode.Nearest
            ? Nearest(input, height, width)
            : Bilinear(input, height, width, alignCorners);

    public static ReferenceMap Nearest(ReferenceMap input, int height, int width) => ReferenceMaps.Build(
        new MapShape(input.Shape.Batch, input.Shape.Channels, height, width),
        (b, c, y, x) => input[b, c, y * input.Shape.Height / height, x * input.Shape.Width / width]);

    public static ReferenceMap Bilinear(ReferenceMap input, int height, int width, bool alignCorners) =>
        ReferenceMaps.Build(
            new MapShape(input.Shape.Batch, input.Shape.Channels, height, width),
            (b, c, y, x) =>
            {
                var (top, bottom, down) = Place(y, input.Shape.Height, height, alignCorners);
                var (left, right, across) = Place(x, input.Shape.Width, width, alignCorners);
                var above = (1 - across) * input[b, c, top, left] + across * input[b, c, top, right];
                var below = (1 - across) * input[b, c, bottom, left] + across * input[b, c, bottom, right];
                return (1 - down) * above + down * below;
            });

    /// <summary>The adjoint: every output sample hands its gradient to the samples that it was made of.</summary>
    public static ReferenceMap Adjoint(
        ReferenceMap gradient, int height, int width, InterpolationMode mode, bool alignCorners)
    {
        var shape = gradient.Shape;
        var result = new ReferenceMap(new MapShape(shape.Batch, shape.Channels, height, width));
        (int Low, int High, double Way) Find(int output, int cells, int outputs) => mode == InterpolationMode.Nearest
            ? (output * cells / outputs, 0, 0)
            : Place(output, cells, outputs, alignCorners);
        var down = Enumerable.Range(0, shape.Height).Select(y => Find(y, height, shape.Height)).ToArray();
        var across = Enumerable.Range(0, shape.Width).Select(x => Find(x, width, shape.Width)).ToArray();
        ReferenceMaps.Build(shape, (b, c, y, x) =>
        {
            var value = gradient[b, c, y, x];
            var (top, bottom, way) = down[y];
            var (left, right, side) = across[x];
            result[b, c, top, left] += (1 - way) * (1 - side) * value;
            result[b, c, top, right] += (1 - way) * side * value;
            result[b, c, bottom, left] += way * (1 - side) * value;
            result[b, c, bottom, right] += way * side * value;
            return value;
        });
        return result;
    }

    /// <summary>Channels (c, i, j) of a cell become the points (i, j) of channel c.</summary>
    public static ReferenceMap PixelShuffle(ReferenceMap input, int scale)
    {
        var shape = input.Shape;
        return ReferenceMaps.Build(
            new MapShape(shape.Batch, shape.Channels / (scale * scale), shape.Height * scale, shape.Width * scale),
            (b, c, y, x) => input[b, (c * scale + y % scale) * scale + x % scale, y / scale, x / scale]);
    }

    private static (int Low, int High, double Way) Place(int output, int cells, int outputs, bool alignCorners)
    {
        double place = alignCorners
            ? outputs == 1 ? 0 : output * (cells - 1.0) / (outputs - 1)
            : Math.Max((output + 0.5) * cells / outputs - 0.5, 0);
        int low = Math.Min((int)Math.Floor(place), cells - 1);
        return (low, Math.Min(low + 1, cells - 1), place - low);
    }
}
