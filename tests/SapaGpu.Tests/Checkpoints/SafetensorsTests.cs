using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using NUnit.Framework;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Safetensors files: round trips, the layout that is written, and files that are refused.</summary>
[TestFixture]
public sealed class SafetensorsTests
{
    private static IEnumerable<CheckpointType> Types =>
        Enum.GetValues<CheckpointType>().Where(type => type != CheckpointType.Other);

    [TestCaseSource(nameof(Types))]
    public void Every_type_survives_a_round_trip(CheckpointType type)
    {
        var state = new StateDict();
        state.Add(StateEntry.FromDoubles("matrix", [2, 3], [0, 1, 1, 0, 0, 1], type));
        state.Add(StateEntry.FromDoubles("scalar", [], [1], type));
        state.Add(StateEntry.FromDoubles("nothing", [4, 0], [], type));
        state.Add(StateEntry.FromDoubles("über \"all\"\n", [1], [1], type));
        AssertSame(RoundTrip(state), state);
    }

    [Test]
    public void Bits_of_every_kind_of_number_survive()
    {
        var state = new StateDict();
        double[] values = [double.NaN, double.NegativeInfinity, -0.0, double.Epsilon, double.MaxValue, Math.PI];
        state.Add(StateEntry.FromDoubles("doubles", [6], values, CheckpointType.Float64));
        state.Add(new StateEntry("halves", [2], CheckpointType.Float16, new byte[] { 1, 0x7e, 0xff, 0xff }));
        AssertSame(RoundTrip(state), state);
    }

    [Test]
    public void Order_and_metadata_survive_and_every_tensor_is_aligned()
    {
        var state = new StateDict();
        foreach (var type in Types.Reverse())
            state.Add(StateEntry.FromDoubles($"{type}", [3], [1, 0, 1], type));
        state.Metadata["format"] = "pt";
        state.Metadata["note"] = "two\nlines";
        using var stream = new MemoryStream();
        state.Save(stream);
        var bytes = stream.ToArray();

        int headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.That(headerLength % 8, Is.Zero);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        foreach (var entry in state.Values)
        {
            long begin = header.RootElement.GetProperty(entry.Name).GetProperty("data_offsets")[0].GetInt64();
            Assert.That(begin % (entry.Bytes.Length / 3), Is.Zero, entry.Name);
        }
        var read = StateDict.Load(new MemoryStream(bytes));
        AssertSame(read, state);
        Assert.That(read.Metadata, Is.EquivalentTo(state.Metadata));
    }

    [Test]
    public void A_file_is_replaced_only_by_a_complete_one()
    {
        using var folder = new TemporaryFolder();
        string path = folder["model.safetensors"];
        var state = new StateDict();
        state.Add(StateEntry.FromDoubles("a", [2], [1, 2], CheckpointType.Float32));
        state.Save(path);
        AssertSame(StateDict.Load(path), state);

        var wrong = new StateDict();
        wrong.Add(StateEntry.FromDoubles("__metadata__", [1], [1], CheckpointType.Float32));
        Assert.That(() => wrong.Save(path), Throws.InvalidOperationException.With.Message.Contains("__metadata__"));
        AssertSame(StateDict.Load(path), state);
        state.Add(StateEntry.FromDoubles("b", [1], [3], CheckpointType.BFloat16));
        state.Save(path);
        AssertSame(StateDict.Load(path), state);
        Assert.That(Directory.GetFiles(folder.Path), Is.EqualTo([path]));
        Assert.That(
            () => state.Save(folder[Path.Combine("absent", "a.safetensors")]),
            Throws.TypeOf<DirectoryNotFoundException>());
    }

    [Test]
    public void The_name_of_a_file_says_nothing_about_its_format()
    {
        using var folder = new TemporaryFolder();
        var state = new StateDict();
        state.Add(StateEntry.FromDoubles("a", [2], [1, 2], CheckpointType.Float32));
        state.Save(folder["model.pth"]);
        AssertSame(StateDict.Load(folder["model.pth"]), state);
    }

    [Test]
    public void A_header_length_that_looks_like_a_pickle_is_no_pickle()
    {
        string header = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""".PadRight(0x280);
        Assert.That(Load(File(header, [7]))["a"].ToDoubles(), Is.EqualTo([7.0]));
    }

    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "without overlap or gap", TestName = "Overlap")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "without overlap or gap", TestName = "The same bytes twice")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        8,
        "without overlap or gap",
        TestName = "Gap at the beginning")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
        5,
        "bytes of data",
        TestName = "Rest at the end")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        4,
        "bytes of data",
        TestName = "Beyond the end")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""",
        4,
        "has 8 bytes",
        TestName = "Shape and offsets disagree")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "negative", TestName = "Negative dimension")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""",
        4,
        "not a beginning and an end",
        TestName = "End before beginning")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""",
        4,
        "not a beginning and an end",
        TestName = "Negative offset")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""",
        4,
        "not a beginning and an end",
        TestName = "Three offsets")]
    [TestCase(
        """{"a":{"dtype":"U8","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,9223372036854775807]}}""",
        4,
        "bytes of data",
        TestName = "Huge shape")]
    [TestCase(
        """{"a":{"dtype":"F64","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,9223372036854775807]}}""",
        4,
        "but its data_offsets",
        TestName = "Shape that overflows")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,4]}}""",
        4,
        "too large",
        TestName = "Large dimension")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":[1e99],"data_offsets":[0,4]}}""",
        4,
        "not an integer",
        TestName = "No whole number")]
    [TestCase(
        """{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""",
        4,
        "not an integer",
        TestName = "Text for a number")]
    [TestCase("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}}""", 1, "no valid dtype", TestName = "No type")]
    [TestCase("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "no valid shape", TestName = "No shape")]
    [TestCase("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "no valid data_offsets", TestName = "No offsets")]
    [TestCase("""{"a":[1,2,3]}""", 4, "not an object", TestName = "No object")]
    [TestCase(
        """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""",
        2,
        "JSON",
        TestName = "Name twice")]
    [TestCase("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "JSON", TestName = "Name twice in other letters")]
    [TestCase(
        """{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""",
        1,
        "Unicode",
        TestName = "Half a surrogate pair")]
    [TestCase(
        """{"a":{"dtype":"\udc00","shape":[1],"data_offsets":[0,1]}}""",
        1,
        "Unicode",
        TestName = "Half a surrogate pair in a type")]
    [TestCase("""{"__metadata__":{"a":1}}""", 0, "__metadata__", TestName = "Metadata with a number")]
    [TestCase("""{"__metadata__":"a"}""", 0, "__metadata__", TestName = "Metadata without names")]
    [TestCase("""{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}""", 0, "JSON", TestName = "Deep nesting")]
    [TestCase("{]", 0, "JSON", TestName = "No JSON")]
    [TestCase("{} {}", 0, "JSON", TestName = "Two values")]
    public void Headers_that_make_no_sense_are_refused(string header, int dataLength, string what) => Assert.That(
        () => Load(File(header, new byte[dataLength])),
        Throws.TypeOf<InvalidDataException>().With.Message.Contains(what).And.Message.Not.Contains("\n"));

    [Test]
    public void A_header_longer_than_the_file_is_refused(
        [Values(3UL, 100UL, 1UL << 31, 1UL << 40, 1UL << 63, ulong.MaxValue)] ulong length)
    {
        var file = File("{}", []);
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);
        Assert.That(() => Load(file), Throws.TypeOf<InvalidDataException>().With.Message.Contains("declared"));
    }

    [Test]
    public void Bytes_that_are_no_UTF_8_are_refused()
    {
        var file = File("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", [1]);
        file[10] = 0xff;
        Assert.That(() => Load(file), Throws.TypeOf<InvalidDataException>().With.Message.Contains("UTF-8"));
    }

    [TestCase("")]
    [TestCase("P")]
    [TestCase("This is a text and no checkpoint at all.")]
    public void Other_files_are_refused(string text) => Assert.That(
        () => Load(Encoding.ASCII.GetBytes(text)),
        Throws.TypeOf<InvalidDataException>().With.Message.Contains("neither"));

    [Test]
    public void An_empty_file_of_the_format_is_an_empty_state() => Assert.That(Load(File("{}", [])), Is.Empty);

    [TestCase("F8_E4M3", 3)]
    [TestCase("C64", 24)]
    [TestCase("F4", 2)]
    [TestCase("a type\nof tomorrow", 0)]
    public void A_type_that_is_not_read_matters_only_where_it_is_asked_for(string type, int length)
    {
        string name = JsonSerializer.Serialize(type);
        var file = File(
            $$$"""{"up.w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"other":{"dtype":{{{name}}},"shape":[3],"data_offsets":[2,{{{2 + length}}}]}}""",
            [5, 6, .. Enumerable.Range(1, length).Select(i => (byte)i)]);
        var all = Load(file);
        Assert.That(all.Keys, Is.EqualTo(["up.w", "other"]));
        Assert.That(all["up.w"].ToDoubles(), Is.EqualTo([5.0, 6]));
        var other = all["other"];
        Assert.That((other.Type, other.TypeName, other.Bytes.Length), Is.EqualTo((CheckpointType.Other, type, length)));
        Assert.That(
            () => other.ToFloats(),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("'other'").And.Message.Not.Contains("\n"));
        Assert.That(all.Subset("up.").Keys, Is.EqualTo(["w"]));
        AssertSame(RoundTrip(all), all);
        Assert.That(RoundTrip(all).Subset("o")["ther"].TypeName, Is.EqualTo(type));
    }

    [Test]
    public void Only_names_with_a_prefix_are_read()
    {
        using var folder = new TemporaryFolder();
        var state = new StateDict();
        foreach (string name in new[] { "up.a", "up.b", "upper", "down.a" })
            state.Add(StateEntry.FromDoubles(name, [1], [name.Length], CheckpointType.Float32));
        state.Metadata["format"] = "pt";
        state.Save(folder["a.safetensors"]);
        var part = StateDict.Load(folder["a.safetensors"], "up.");
        Assert.That(part.Keys, Is.EqualTo(["a", "b"]));
        Assert.That(part.Metadata, Is.EquivalentTo(state.Metadata));
        Assert.That(StateDict.Load(folder["a.safetensors"], "absent."), Is.Empty);
        Assert.That(() => StateDict.Load(folder["a.safetensors"], null!), Throws.ArgumentNullException);
    }

    private static StateDict RoundTrip(StateDict state)
    {
        using var stream = new MemoryStream();
        state.Save(stream);
        stream.Position = 0;
        return StateDict.Load(stream);
    }

    private static void AssertSame(StateDict actual, StateDict expected)
    {
        Assert.That(actual.Keys, Is.EqualTo(expected.Keys));
        foreach (var entry in expected.Values)
        {
            Assert.That(actual[entry.Name].Type, Is.EqualTo(entry.Type), entry.Name);
            Assert.That(actual[entry.Name].Shape, Is.EqualTo(entry.Shape), entry.Name);
            Assert.That(actual[entry.Name].Bytes.ToArray(), Is.EqualTo(entry.Bytes.ToArray()), entry.Name);
        }
    }

    private static byte[] File(string header, byte[] data)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        return [.. length, .. text, .. data];
    }

    private static StateDict Load(byte[] file) => StateDict.Load(new MemoryStream(file));
}
