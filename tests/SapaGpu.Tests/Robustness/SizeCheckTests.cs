using System.Buffers.Binary;
using System.IO.Compression;
using NetVips;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Images;
using SapaGpu.Tests.Guided;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Robustness;

/// <summary>
/// Files whose headers announce more pixels than there are: what is wrong with their sizes is found before the first pixel,
/// or the error would be that they are cut off.
/// </summary>
[TestFixture]
[NonParallelizable]
internal sealed class SizeCheckTests : UpsampleFixture
{
    private const int Huge = 26_000;

    [SetUp]
    public void WriteInputs()
    {
        ImageFile.Write(Runs["map.png"], new Raster(UpsampleRuns.MapHeight, UpsampleRuns.MapWidth, 1), SampleType.UInt8);
        WritePng("huge.png");
        File.WriteAllText(Runs["huge.pgm"], $"P5 # a comment\n{Huge} {Huge}\n255\n");
        WriteBmp("huge.bmp");
        using (var stream = File.Create(Runs["huge.npy"]))
            NpyFile.WriteHeader(stream, "|u1", [Huge, Huge]);
        using var archive = ZipFile.Open(Runs["huge.npz"], ZipArchiveMode.Create);
        using var packed = archive.CreateEntry("a.npy").Open();
        NpyFile.WriteHeader(packed, "|u1", [Huge, Huge]);
    }

    [TestCase("huge.png")]
    [TestCase("huge.pgm")]
    [TestCase("huge.bmp")]
    [TestCase("huge.npy")]
    [TestCase("huge.npz")]
    public void A_map_larger_than_the_photo_is_refused_by_its_header(string map)
    {
        string output = map.Contains(".np", StringComparison.Ordinal) ? "o.npy" : "o.png";
        Runs.AssertRefuses(Runs.Upsample(map, output), ExitCode.Failure, $"{Huge}x{Huge}", "smaller than the map");
        Runs.AssertRefuses(
            Runs.Upsample(map, output, "--letterbox", "center"), ExitCode.Failure, "smaller than the map");
    }

    [TestCase("huge.png")]
    [TestCase("huge.pgm")]
    [TestCase("huge.bmp")]
    public void A_photo_is_refused_by_its_header(string photo)
    {
        using (var stream = File.Create(Runs["larger.npy"]))
            NpyFile.WriteHeader(stream, "|u1", [Huge + 1, Huge]);
        Runs.AssertRefuses(
            Runs.Upsample("larger.npy", "o.npy", "--guide", Runs[photo]), ExitCode.Failure, "smaller than the map");
        Runs.AssertRefuses(
            Runs.Upsample("map.png", "o.png", "--guide", Runs[photo], "--crop", $"0,0,{Huge + 1},1"), ExitCode.Usage, "--crop");
    }

    [TestCase("huge.png")]
    [TestCase("huge.npy")]
    public void A_truth_of_another_size_is_refused_by_its_header(string truth) => Runs.AssertRefuses(
        Runs.Upsample("map.png", "o.png", "--truth", Runs[truth]), ExitCode.Failure, $"{Huge}x{Huge}", "32x24 like the photo");

    [Test]
    public void What_fits_but_is_cut_off_is_refused_for_that()
    {
        var run = Runs.Upsample("huge.png", "o.png", "--guide", Runs["huge.png"]);
        Runs.AssertRefuses(run, ExitCode.Failure, "huge.png", "not a readable image");
    }

    [Test]
    public void Archives_of_more_than_the_array_are_refused()
    {
        using (var archive = ZipFile.Open(Runs["more.npz"], ZipArchiveMode.Create))
        {
            using var packed = archive.CreateEntry("a.npy").Open();
            NpyFile.WriteHeader(packed, "|u1", [UpsampleRuns.MapHeight, UpsampleRuns.MapWidth]);
            packed.Write(new byte[1 << 20]);
        }
        Runs.AssertRefuses(
            Runs.Upsample("more.npz", "o.npy"), ExitCode.Failure, "48 elements of 1 bytes are announced, and 1,048,576 bytes are there");
    }

    [Test]
    public void Readers_of_other_formats_are_blocked()
    {
        _ = ImageFile.ReadPhoto(Runs["photo.png"]);
        File.WriteAllText(Runs["numbers.csv"], "1,2\n3,4\n");
        Assert.That(() => Image.NewFromFile(Runs["numbers.csv"]), Throws.TypeOf<VipsException>());
        Runs.AssertRefuses(Runs.Upsample("numbers.csv", "o.png"), ExitCode.Failure, "save it as", "BMP");
    }

    [Test]
    public void Want_of_memory_is_told_in_words()
    {
        var exception = Assert.Catch<OutOfMemoryException>(() => _ = new byte[int.MaxValue])!;
        Assert.That(ErrorText.Of(exception), Does.StartWith("there is not enough memory; use a smaller photo"));
        Assert.That(ExitCode.Of(exception), Is.EqualTo(ExitCode.Failure));
    }

    /// <summary>A PNG with the beginning of its pixels.</summary>
    private void WritePng(string name)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Huge);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), Huge);
        header[8] = 8;
        using var stream = File.Create(Runs[name]);
        PngChunk.WriteSignature(stream);
        new PngChunk("IHDR", header).Write(stream);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(new byte[Huge]);
        new PngChunk("IDAT", packed.ToArray()).Write(stream);
    }

    private void WriteBmp(string name)
    {
        var header = new byte[54];
        "BM"u8.CopyTo(header);
        header[10] = 54;
        header[14] = 40;
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(18), Huge);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(22), Huge);
        header[28] = 24;
        File.WriteAllBytes(Runs[name], header);
    }
}
