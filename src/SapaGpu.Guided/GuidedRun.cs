namespace SapaGpu.Guided;

/// <summary>Upsamples one map with one method, in as many steps as the ratio takes.</summary>
internal sealed class GuidedRun
{
    private readonly Photo photo;
    private readonly UpsampleMethod method;
    private readonly KernelSettings settings;
    private readonly ComputeDevice? device;
    private readonly CodecOfStep codecOf;

    /// <summary>Prepares a run.</summary>
    /// <param name="photo">The guide.</param>
    /// <param name="method">The method.</param>
    /// <param name="settings">The kernel of window attention.</param>
    /// <param name="device">The device of window attention; the other methods need none.</param>
    /// <param name="codecOf">Makes the codec of a step.</param>
    public GuidedRun(
        Photo photo, UpsampleMethod method, KernelSettings settings, ComputeDevice? device, CodecOfStep codecOf)
    {
        this.photo = photo;
        this.method = method;
        this.settings = settings;
        this.device = device;
        this.codecOf = codecOf;
    }

    /// <summary>
    /// The sizes of the maps between a small one and a photo: none where the operator goes all the way at once, else as few as
    /// there have to be, with ratios as equal as whole numbers allow.
    /// </summary>
    public static IReadOnlyList<(int Height, int Width)> Between(int height, int width, int photoHeight, int photoWidth)
    {
        for (int steps = 1; ; steps++)
        {
            (int Height, int Width)[] sizes =
            [
                .. Enumerable.Range(1, steps).Select(step =>
                    (Length(height, photoHeight, step, steps), Length(width, photoWidth, step, steps))),
            ];
            var (fromHeight, fromWidth) = (height, width);
            bool fits = true;
            foreach (var (toHeight, toWidth) in sizes)
            {
                var grid = new CellGrid(new CellAxis(fromHeight, toHeight), new CellAxis(fromWidth, toWidth));
                fits &= grid.Scale <= OperatorSupport.MaximumScale;
                (fromHeight, fromWidth) = (toHeight, toWidth);
            }
            if (fits)
                return sizes[..^1];
        }
    }

    /// <summary>Upsamples a map to the size of the photo.</summary>
    /// <param name="map">The map, no larger than the photo.</param>
    /// <param name="output">Where the result goes, rectangle by rectangle.</param>
    /// <param name="progress">Receives the completed fraction, from 0 to 1.</param>
    /// <param name="cancellation">Stops between two rectangles.</param>
    public void Run(Raster map, IMapSink output, Action<double>? progress, CancellationToken cancellation)
    {
        bool isGuided = method == UpsampleMethod.Sapa;
        var between = isGuided ? Between(map.Height, map.Width, photo.Height, photo.Width) : [];
        double total = between.Sum(size => (double)size.Height * size.Width) + (double)photo.Height * photo.Width;
        double before = 0;
        var small = map;
        foreach (var (height, width) in between)
        {
            var codec = codecOf(small, isFirst: small == map, isLast: false);
            var next = new Raster(height, width, codec.SampleChannels);
            Step(codec, photo.Resize(height, width), next, height, width);
            small = next;
        }
        Step(codecOf(small, isFirst: small == map, isLast: true), photo, output, photo.Height, photo.Width);

        void Step(IMapCodec codec, Photo guide, IMapSink sink, int height, int width)
        {
            double done = before;
            double pixels = (double)height * width;
            var grid = new CellGrid(new CellAxis(codec.Height, height), new CellAxis(codec.Width, width));
            var refiner = isGuided && settings.Refines && codec is IClassCodec ? new ClassRefiner(grid, guide) : null;
            new MapUpsampler(grid, Interpolator(grid, guide), refiner)
                .Run(codec, sink, share => progress?.Invoke((done + share * pixels) / total), cancellation);
            before += pixels;
        }
    }

    private static int Length(int from, int to, int step, int steps) =>
        step == steps ? to : (int)Math.Round(from * Math.Pow((double)to / from, (double)step / steps));

    private IInterpolator Interpolator(CellGrid grid, Photo guide) => method switch
    {
        UpsampleMethod.Nearest => new NearestInterpolator(grid),
        UpsampleMethod.Bilinear => new BilinearInterpolator(grid),
        _ => new SapaInterpolator(device!, grid, new LiftedFeatures(grid, guide, settings), settings.Window),
    };
}
