using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

/// <summary>Runs of <c>sapagpu upsample</c> in a folder of their own that has a small photo.</summary>
internal sealed class UpsampleRuns : IDisposable
{
    public const int Height = 24;
    public const int Width = 32;
    public const int MapHeight = 6;
    public const int MapWidth = 8;

    private readonly TemporaryFolder folder = new();

    /// <summary>Writes the photo.</summary>
    public UpsampleRuns()
    {
        Photo = DemoScene.Draw(Height, Width).Photo;
        ImageFile.Write(folder["photo.png"], Photo);
    }

    /// <summary>The photo, which is the file <c>photo.png</c>.</summary>
    public Photo Photo { get; }

    /// <summary>The path of a file.</summary>
    public string this[string name] => folder[name];

    /// <summary>The values of a map of this size: all different, and each is a whole number.</summary>
    public static double[] Ramp(int count = MapHeight * MapWidth) =>
        [.. Enumerable.Range(0, count).Select(i => (double)i)];

    /// <summary>What <c>nearest</c> makes of a map of this size.</summary>
    public static T[] Enlarge<T>(IReadOnlyList<T> map) =>
    [
        .. Enumerable.Range(0, Height * Width).Select(i =>
            map[i / Width * MapHeight / Height * MapWidth + i % Width * MapWidth / Width]),
    ];

    /// <summary>Runs the tool with the photo as guide, unless another guide is given.</summary>
    public ToolRun Upsample(string input, string output, params string[] more) => ToolRun.Of(
    [
        "upsample", "--input", folder[input], "--output", folder[output],
        .. more.Contains("--guide") ? more : [.. more, "--guide", folder["photo.png"]],
        "--device", "cpu",
    ]);

    /// <summary>Runs the tool by the method <c>nearest</c>, which must succeed without a warning.</summary>
    public void Enlarge(string input, string output, params string[] more) =>
        AssertSucceeds(Upsample(input, output, ["--method", "nearest", .. more]));

    /// <summary>Writes an array as NumPy does.</summary>
    public void WriteArray(string name, string descriptor, int[] shape, IEnumerable<double> values)
    {
        using var stream = File.Create(folder[name]);
        NpyFile.WriteHeader(stream, descriptor, shape);
        var element = new byte[NpyFile.ElementSize(descriptor)];
        foreach (double value in values)
        {
            NpyFile.Encode(value, descriptor, element);
            stream.Write(element);
        }
    }

    public static void AssertSucceeds(ToolRun run) =>
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((ExitCode.Success, string.Empty)));

    /// <summary>Checks that a run ended with one line that has all these texts, and wrote nothing.</summary>
    public void AssertRefuses(ToolRun run, int code, params string[] texts)
    {
        Assert.That(run.ExitCode, Is.EqualTo(code), run.Errors);
        Assert.That(run.Errors.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
        foreach (string text in texts)
            Assert.That(run.Errors, Does.Contain(text));
        Assert.That(run.Output, Is.Empty);
        Assert.That(Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName), Has.None.StartWith("o."));
    }

    public void Dispose() => folder.Dispose();
}
