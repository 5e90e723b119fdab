namespace SapaGpu.Tests.Guided;

/// <summary>Upsampling in memory, as the tool does it.</summary>
internal static class Upsampling
{
    public static Raster Run(
        Raster small,
        Photo photo,
        UpsampleMethod method,
        MapKind kind,
        KernelSettings settings,
        float? unknown,
        ComputeDevice device,
        int side = MapUpsampler.DefaultSide)
    {
        var grid = new CellGrid(new CellAxis(small.Height, photo.Height), new CellAxis(small.Width, photo.Width));
        IInterpolator interpolator = method switch
        {
            UpsampleMethod.Nearest => new NearestInterpolator(grid),
            UpsampleMethod.Bilinear => new BilinearInterpolator(grid),
            _ => new SapaInterpolator(device, grid, new LiftedFeatures(grid, photo, settings), settings.Window),
        };
        IMapCodec codec = kind == MapKind.Labels
            ? new LabelCodec(new ClassMap(small), unknown)
            : new ContinuousCodec(small, unknown is { } mark ? new UnknownMarks(mark) : new UnknownMarks());
        var result = new Raster(photo.Height, photo.Width, small.Channels);
        new MapUpsampler(grid, interpolator) { Side = side }.Run(codec, result);
        return result;
    }
}
