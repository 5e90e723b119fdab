using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>Maps of a part of the photo, and maps with padding.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class PlacementTests : UpsampleFixture
{
    private const int Height = UpsampleRuns.MapHeight;
    private const int Width = UpsampleRuns.MapWidth;
    private const int Side = 8;
    private const double Padding = -99;

    [TestCase("<f4", "nearest", 0, "--letterbox")]
    [TestCase("<f8", "nearest", 0, "--letterbox", "top-left")]
    [TestCase("<f4", "nearest", 1, "--letterbox", "center")]
    [TestCase("<f8", "nearest", 1, "--letterbox", "center")]
    [TestCase("<f4", "sapa", 0, "--letterbox", "top-left")]
    [TestCase("<f4", "bilinear", 1, "--letterbox", "center")]
    public void A_padded_map_gives_what_it_gives_without_padding(
        string descriptor, string method, int firstRow, params string[] letterbox)
    {
        // In double precision no value fits single precision: nearest copies bytes then.
        var ramp = UpsampleRuns.Ramp().Select(cell => descriptor == "<f8" ? cell + 1e-9 : cell).ToArray();
        Runs.WriteArray("map.npy", descriptor, [Height, Width], ramp);
        Runs.WriteArray(
            "padded.npy",
            descriptor,
            [1, Side, Side],
            [
                .. Enumerable.Repeat(Padding, firstRow * Side), .. ramp,
                .. Enumerable.Repeat(Padding, (Side - Height - firstRow) * Side),
            ]);
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "plain.npy", "--method", method));
        var run = Runs.Upsample("padded.npy", "cut.npy", ["--method", method, .. letterbox]);
        UpsampleRuns.AssertSucceeds(run);
        Assert.That(run.Output, Does.Contain("8x8, of which 8x6, to 32x24"));
        var (plain, cut) = (NpyFile.Read(Runs["plain.npy"]), NpyFile.Read(Runs["cut.npy"]));
        Assert.That(cut.Shape, Is.EqualTo(new[] { 1, UpsampleRuns.Height, UpsampleRuns.Width }));
        Assert.That(cut.Values, Is.EqualTo(plain.Values));
    }

    [TestCase("top-left", 0)]
    [TestCase("center", 5)]
    public void Edges_of_padding_within_cells_displace_nothing(string letterbox, int rowsBefore)
    {
        // A photo of 32x22 in a square of 8 cells: five and a half rows of cells, in the middle from 1.25 on.
        ImageFile.Write(Runs["low.png"], new Photo(22, 32));
        Runs.WriteArray("map.npy", "<f4", [Side, Side], UpsampleRuns.Ramp(Side * Side));
        Runs.Enlarge("map.npy", "large.npy", "--letterbox", letterbox, "--guide", Runs["low.png"]);
        var large = NpyFile.Read(Runs["large.npy"]);
        Assert.That(large.Shape, Is.EqualTo(new[] { 22, 32 }));
        Assert.That(
            large.Values,
            Is.EqualTo(Enumerable.Range(0, 22 * 32).Select(i => (double)((i / 32 + rowsBefore) / 4 * Side + i % 32 / 4))));
    }

    [TestCase(427, 640, 256)]
    [TestCase(640, 427, 256)]
    [TestCase(1080, 1920, 64)]
    [TestCase(999, 1000, 77)]
    [TestCase(5, 4000, 64)]
    public void Every_pixel_stays_within_one_of_its_place(int height, int width, int side)
    {
        double scale = (double)side / Math.Max(height, width);
        foreach (var letterbox in Enum.GetValues<Letterbox>())
        {
            var placement = Placement.Of(new ImageSize(side, side), new ImageSize(height, width), letterbox);
            double start = letterbox == Letterbox.Center ? (side - height * scale) / 2 : 0;
            int rows = placement.Top + height + placement.Bottom;
            int[] margins = [placement.Top, placement.Bottom, placement.Left, placement.Right];
            Assert.That(margins, Is.All.GreaterThanOrEqualTo(0));
            foreach (int row in (int[])[0, height / 2, height])
            {
                double cell = placement.Cells.Row + (double)(placement.Top + row) * placement.Cells.Height / rows;
                Assert.That(cell / scale, Is.EqualTo((start + row * scale) / scale).Within(1));
            }
        }
    }

    [TestCase("nearest")]
    [TestCase("sapa")]
    public void A_crop_of_the_photo_is_the_photo(string method)
    {
        Runs.WriteArray("map.npy", "<f4", [3, 4], UpsampleRuns.Ramp(12));
        var part = new Photo(12, 16);
        for (int row = 0; row < 12; row++)
        {
            for (int column = 0; column < 16; column++)
                Runs.Photo.PixelAt(row + 4, column + 8).CopyTo(part.PixelAt(row, column));
        }
        ImageFile.Write(Runs["part.png"], part);
        UpsampleRuns.AssertSucceeds(
            Runs.Upsample("map.npy", "expected.npy", "--method", method, "--guide", Runs["part.png"]));
        UpsampleRuns.AssertSucceeds(Runs.Upsample("map.npy", "large.npy", "--method", method, "--crop", "8,4,16,12"));
        Assert.That(File.ReadAllBytes(Runs["large.npy"]), Is.EqualTo(File.ReadAllBytes(Runs["expected.npy"])));
    }

    [Test]
    public void A_cropped_truth_is_that_of_the_part()
    {
        var truth = new Raster(UpsampleRuns.Height, UpsampleRuns.Width, 1);
        for (int row = 0; row < 12; row++)
            truth.Values.AsSpan((row + 4) * UpsampleRuns.Width + 8, 16).Fill(9);
        var map = new Raster(3, 4, 1);
        Array.Fill(map.Values, 9);
        ImageFile.Write(Runs["truth.png"], truth, SampleType.UInt8);
        ImageFile.Write(Runs["map.png"], map, SampleType.UInt8);
        var run = Runs.Upsample("map.png", "large.png", "--crop", "8,4,16,12", "--truth", Runs["truth.png"]);
        UpsampleRuns.AssertSucceeds(run);
        Assert.That(run.Output, Does.Match("SAPA +. +0.0000"));
    }

    [TestCase("1,2,3")]
    [TestCase("0,0,0,4")]
    [TestCase("-1,0,4,4")]
    [TestCase("0,0,2147483647,2147483647")]
    [TestCase("a,b,c,d")]
    [TestCase("0,0,33,24")]
    [TestCase("20,20,16,12")]
    public void Parts_that_are_none_are_refused(string crop)
    {
        ImageFile.Write(Runs["map.png"], new Raster(3, 4, 1), SampleType.UInt8);
        Runs.AssertRefuses(Runs.Upsample("map.png", "o.png", "--crop", crop), ExitCode.Usage, $"--crop {crop}", "x,y,w");
    }

    [Test]
    public void Padding_beyond_a_square_is_told()
    {
        Runs.WriteArray("map.npy", "<f4", [Side, Side - 2], UpsampleRuns.Ramp(Side * (Side - 2)));
        var run = Runs.Upsample("map.npy", "large.npy", "--method", "nearest", "--letterbox");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(run.Errors, Does.Contain("map.npy").And.Contain("6x8").And.Contain("swap"));
    }

    [Test]
    public void Unknown_letterboxes_are_refused()
    {
        ImageFile.Write(Runs["map.png"], new Raster(3, 4, 1), SampleType.UInt8);
        Runs.AssertRefuses(Runs.Upsample("map.png", "o.png", "--letterbox", "left"), ExitCode.Usage, "left", "top-left");
    }

    [Test]
    public void Other_proportions_name_the_remedies()
    {
        Runs.WriteArray("map.npy", "<f4", [Side, Side], UpsampleRuns.Ramp(Side * Side));
        var run = Runs.Upsample("map.npy", "large.npy", "--method", "nearest");
        Assert.That(run.Errors, Does.Contain("--letterbox").And.Contain("--crop").And.Contain("--layout"));
    }
}
