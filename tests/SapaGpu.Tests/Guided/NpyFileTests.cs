using System.IO.Compression;
using System.Text;
using NUnit.Framework;
using SapaGpu.Workloads.Npy;

namespace SapaGpu.Tests.Guided;

[TestFixture]
internal sealed class NpyFileTests
{
    private static readonly double[] Values = [.. Enumerable.Range(1, 24).Select(i => (double)i)];

    [TestCase("|u1")]
    [TestCase(">u2")]
    [TestCase(">i2")]
    [TestCase(">f2")]
    [TestCase(">u4")]
    [TestCase(">i4")]
    [TestCase(">f4")]
    [TestCase(">u8")]
    [TestCase(">i8")]
    [TestCase(">f8")]
    [TestCase("<f4")]
    public void Both_orders_of_bytes_and_of_dimensions_are_read(string descriptor)
    {
        int[] shape = [2, 3, 4];
        var columns = Enumerable.Range(0, Values.Length)
            .Select(i => Values[i % 2 * 12 + i / 2 % 3 * 4 + i / 6]).ToArray();
        foreach (var (isFortran, stored) in new[] { (false, Values), (true, columns) })
        {
            using var file = new MemoryStream(Write(descriptor, isFortran, shape, stored));
            var array = NpyFile.Decode(NpyFile.ReadElements(file, "a.npy"));
            Assert.That(array.Shape, Is.EqualTo(shape));
            Assert.That(array.Values, Is.EqualTo(Values));
            Assert.That(array.Descriptor, Is.EqualTo(descriptor.Replace('>', '<')));
        }
    }

    [Test]
    public void What_is_no_number_is_refused()
    {
        using var file = new MemoryStream(Write("<c8", false, [3], []));
        Assert.That(
            () => NpyFile.ReadElements(file, "a.npy"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("<c8").And.Message.Contains("a.npy"));
    }

    [Test]
    public void What_a_damaged_header_says_is_printed_in_one_line()
    {
        var damaged = Write("|u1", false, [3], [1, 2, 3]);
        "{'descr': '\u001b\n\u001b'"u8.CopyTo(damaged.AsSpan(10));
        using var file = new MemoryStream(damaged);
        Assert.That(
            () => NpyFile.ReadElements(file, "a.npy"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("???").And.Message.Not.Contains("\n")
                .And.Message.Not.Contains("\u001b"));
    }

    [TestCase(CompressionLevel.NoCompression)]
    [TestCase(CompressionLevel.Fastest)]
    public void Archives_of_one_array_are_read(CompressionLevel level)
    {
        using var file = Pack(level, "depth");
        Assert.That(NpyFile.Decode(NpzFile.ReadElements(file, "a.npz")).Values, Is.EqualTo(Values));
    }

    [Test]
    public void Archives_of_several_arrays_are_refused_by_name()
    {
        using var none = Pack(CompressionLevel.Fastest);
        using var two = Pack(CompressionLevel.Fastest, "depth", "mask");
        using var damaged = new MemoryStream("PK\u0003\u0004 and no archive"u8.ToArray());
        Assert.That(
            () => NpzFile.ReadElements(two, "a.npz"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("depth, mask"));
        Assert.That(
            () => NpzFile.ReadElements(none, "a.npz"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("0 arrays"));
        Assert.That(
            () => NpzFile.ReadElements(damaged, "a.npz"),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("a.npz"));
    }

    private static MemoryStream Pack(CompressionLevel level, params string[] names)
    {
        var file = new MemoryStream();
        using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (string name in names)
            {
                using var entry = archive.CreateEntry($"{name}.npy", level).Open();
                entry.Write(Write("<f4", false, [24], Values));
            }
        }
        file.Position = 0;
        return file;
    }

    /// <summary>An array as NumPy stores it, for orders that the writer of the project does not write.</summary>
    private static byte[] Write(string descriptor, bool isFortran, int[] shape, double[] values)
    {
        using var file = new MemoryStream();
        string sizes = string.Join(", ", shape);
        string header = $"{{'descr': '{descriptor}', 'fortran_order': {isFortran}, 'shape': ({sizes},), }}\n";
        file.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0]);
        file.Write(Encoding.ASCII.GetBytes(header));
        string little = descriptor.Replace('>', '<');
        foreach (double value in values)
        {
            var element = new byte[NpyFile.ElementSize(little)];
            NpyFile.Encode(value, little, element);
            file.Write(descriptor[0] == '>' ? [.. element.Reverse()] : element);
        }
        return file.ToArray();
    }
}
