namespace SapaGpu.Tests.Guided;

/// <summary>Joint bilateral upsampling as its formula says, in plain loops and double precision.</summary>
internal static class JointBilateralReference
{
    public static double[] Upsample(Raster small, Photo photo, KernelSettings settings)
    {
        var colours = CellColours(photo, small.Height, small.Width);
        var output = new double[photo.Height * photo.Width * small.Channels];
        for (int y = 0; y < photo.Height; y++)
        {
            for (int x = 0; x < photo.Width; x++)
            {
                var sums = new double[small.Channels];
                double total = 0;
                int reach = settings.Window / 2;
                int centreRow = y * small.Height / photo.Height, centreColumn = x * small.Width / photo.Width;
                for (int row = centreRow - reach; row <= centreRow + reach; row++)
                {
                    for (int column = centreColumn - reach; column <= centreColumn + reach; column++)
                    {
                        if (row < 0 || row >= small.Height || column < 0 || column >= small.Width)
                            continue;
                        double down = (y + 0.5) * small.Height / photo.Height - 0.5 - row;
                        double across = (x + 0.5) * small.Width / photo.Width - 0.5 - column;
                        double exponent = (down * down + across * across) / Square(settings.SpaceSigma);
                        for (int c = 0; c < Photo.Channels; c++)
                        {
                            double cell = colours[(row * small.Width + column) * Photo.Channels + c];
                            double difference = photo.PixelAt(y, x)[c] / 255.0 - cell;
                            exponent += Square(difference / settings.ColourSigma);
                        }
                        double weight = Math.Exp(-exponent / 2);
                        total += weight;
                        for (int c = 0; c < sums.Length; c++)
                            sums[c] += weight * small.PixelAt(row, column)[c];
                    }
                }
                for (int c = 0; c < sums.Length; c++)
                    output[(y * photo.Width + x) * sums.Length + c] = sums[c] / total;
            }
        }
        return output;
    }

    /// <summary>
    /// The mean colour of what every cell covers, pixels across its edge counted by the share inside.
    /// </summary>
    private static double[] CellColours(Photo photo, int height, int width)
    {
        var colours = new double[height * width * Photo.Channels];
        double cellHeight = (double)photo.Height / height, cellWidth = (double)photo.Width / width;
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                for (int y = 0; y < photo.Height; y++)
                {
                    double down = Overlap(y, row * cellHeight, (row + 1) * cellHeight);
                    for (int x = 0; down > 0 && x < photo.Width; x++)
                    {
                        double share = down * Overlap(x, column * cellWidth, (column + 1) * cellWidth);
                        for (int c = 0; c < Photo.Channels; c++)
                        {
                            colours[(row * width + column) * Photo.Channels + c] +=
                                share * photo.PixelAt(y, x)[c] / 255 / (cellHeight * cellWidth);
                        }
                    }
                }
            }
        }
        return colours;
    }

    private static double Overlap(int pixel, double start, double end) =>
        Math.Max(0, Math.Min(pixel + 1, end) - Math.Max(pixel, start));

    private static double Square(double number) => number * number;
}
