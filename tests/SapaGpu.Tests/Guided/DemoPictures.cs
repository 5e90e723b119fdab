using NUnit.Framework;
using SapaGpu.Cli.Images;

namespace SapaGpu.Tests.Guided;

/// <summary>Writes the files that the picture of the README is made of, and the depth of a sample.</summary>
[TestFixture]
[Explicit("Writes files; run it by name.")]
internal sealed class DemoPictures
{
    private const string FolderVariable = "SAPAGPU_DEMO_OUT";
    private const int Height = 480;
    private const int Width = 640;
    private const int Ratio = 10;

    [Test]
    public void Photo_small_map_and_truth_are_written()
    {
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (folder is null)
            Assert.Ignore($"{FolderVariable} names no folder to write to.");
        Directory.CreateDirectory(folder);
        var scene = DemoScene.Draw(Height, Width);
        ImageFile.Write(Path.Combine(folder, "photo.png"), scene.Photo);
        IndexedPng.Write(Path.Combine(folder, "truth.png"), scene.Labels, DemoScene.Palette);
        IndexedPng.Write(
            Path.Combine(folder, "map_small.png"),
            SmallMaps.OfLabels(scene.Labels, Height / Ratio, Width / Ratio),
            DemoScene.Palette);
        var depth = SmallMaps.OfDepth(scene.Depth, Height / Ratio, Width / Ratio, unknown: 0);
        ImageFile.Write(
            Path.Combine(folder, "depth_small.png"),
            new Raster(depth.Height, depth.Width, 1, Array.ConvertAll(depth.Values, ToMillimetres)),
            SampleType.UInt16);
    }

    /// <summary>The distance of a nearness of the scene; 0 stays unknown.</summary>
    private static float ToMillimetres(float nearness) =>
        nearness <= 1 ? 0 : MathF.Round(4000 * (254 / (nearness - 1) - 1));
}
