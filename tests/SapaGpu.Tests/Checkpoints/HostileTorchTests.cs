using System.Buffers.Binary;
using System.IO.Compression;
using NUnit.Framework;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>
/// PyTorch checkpoints that are damaged or made to do harm are refused, with the reason and in little memory.
/// </summary>
[TestFixture]
[NonParallelizable]
public sealed class HostileTorchTests
{
    private const int Small = 1 << 24;
    private static readonly StateEntry Six = TorchFile.Numbers(6);

    [TestCase("os", "system")]
    [TestCase("posix", "system")]
    [TestCase("builtins", "eval")]
    [TestCase("__builtin__", "eval")]
    [TestCase("collections", "defaultdict")]
    [TestCase("torch", "load")]
    [TestCase("torch", "ComplexFloatStorage")]
    [TestCase("torch._utils", "_rebuild_tensor_v2.__globals__")]
    public void A_global_that_is_not_known_is_named_and_not_called(string module, string name)
    {
        foreach (var container in Enum.GetValues<Container>())
        {
            foreach (int protocol in new[] { 2, 4 })
            {
                var pickle = new PickleWriter(protocol).Global(module, name).Text("echo harm")
                    .Op(PickleOpcode.Tuple1).Op(PickleOpcode.Reduce).Stop();
                AssertRefused(TorchFile.Build(container, pickle), $"{module}.{name}");
            }
        }
    }

    [TestCase('I', TestName = "INT")]
    [TestCase('P', TestName = "PERSID")]
    [TestCase('2', TestName = "DUP")]
    [TestCase('\x97', TestName = "NEXT_BUFFER")]
    [TestCase('\x98', TestName = "READONLY_BUFFER")]
    [TestCase('\xff', TestName = "No instruction")]
    public void An_instruction_of_other_protocols_is_refused(char opcode) =>
        AssertRefused(TorchFile.Zip(new PickleWriter().OrderedDict().Raw((byte)opcode).Stop()), $"0x{(int)opcode:x2}");

    [Test]
    public void Wrong_use_of_the_stack_is_refused()
    {
        (string What, Func<PickleWriter, PickleWriter> Write)[] pickles =
        [
            ("more from its stack", w => w.Op(PickleOpcode.Append)),
            ("more from its stack", w => w.Op(PickleOpcode.SetItem)),
            ("more from its stack", w => w.Op(PickleOpcode.Tuple)),
            ("more from its stack", w => w.Op(PickleOpcode.Tuple3)),
            ("more from its stack", w => w.Op(PickleOpcode.BinPut, 0)),
            ("more from its stack", w => w.Whole(1).Op(PickleOpcode.Mark).Whole(1).Op(PickleOpcode.Tuple2)),
            ("one value", w => w.Op(PickleOpcode.Mark)),
            ("one value", w => w.Whole(1).Whole(2)),
            ("more from its stack", w => w.Op(PickleOpcode.Pop)),
            ("more from its stack", w => w.Op(PickleOpcode.PopMark)),
            ("more from its stack", w => w.Op(PickleOpcode.NewObj)),
            ("more from its stack", w => w.Op(PickleOpcode.NewObjEx)),
            ("more from its stack", w => w.Op(PickleOpcode.Obj)),
            ("more from its stack", w => w.Op(PickleOpcode.Inst)),
            ("more from its stack", w => w.Op(PickleOpcode.FrozenSet)),
            ("a set is expected", w => w.Op(PickleOpcode.EmptyList).Op(PickleOpcode.Mark).Op(PickleOpcode.AddItems)),
            ("no class", w => w.Op(PickleOpcode.Mark).Op(PickleOpcode.Obj)),
            ("no class", w => w.Whole(1).Tuple().Op(PickleOpcode.EmptyDict).Op(PickleOpcode.NewObjEx)),
            ("not a function", w => w.Whole(1).Tuple().Op(PickleOpcode.NewObj)),
            ("never stored", w => w.Op(PickleOpcode.BinGet, 3)),
            ("never stored", w => w.Op(PickleOpcode.LongBinGet, 255, 255, 255, 255)),
            ("a list is expected", w => w.Op(PickleOpcode.EmptyDict).Whole(1).Op(PickleOpcode.Append)),
            ("a dictionary is expected", w => w.Op(PickleOpcode.EmptyList).Whole(1).Whole(2).Op(PickleOpcode.SetItem)),
            ("a dictionary is expected", w => w.Whole(1).Whole(2).Op(PickleOpcode.Build)),
            ("a tuple is expected", w => w.Global("torch", "Size").Whole(1).Op(PickleOpcode.Reduce)),
            ("a string is expected", w => w.Whole(1).Whole(2).Op(PickleOpcode.StackGlobal)),
            ("key without", w => w.Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Mark).Whole(1).Op(PickleOpcode.SetItems)),
            ("not a function", w => w.Text("eval").Op(PickleOpcode.EmptyTuple).Op(PickleOpcode.Reduce)),
            ("not a function", w => w.Global("torch", "FloatStorage").Tuple().Op(PickleOpcode.Reduce)),
            ("wrong arguments", w => w.Global("torch", "Size").Tuple().Op(PickleOpcode.Reduce)),
            ("wrong arguments", w => w.Global("collections", "OrderedDict").Tuple(1).Op(PickleOpcode.Reduce)),
            ("wrong arguments", w => w.Global("torch._utils", "_rebuild_tensor_v2").Tuple(1, 2).Op(
                PickleOpcode.Reduce)),
            ("not a storage", w => w.Text("storage").Op(PickleOpcode.BinPersistentId)),
            ("not a storage", w => w.Tuple(1, 2, 3, 4, 5).Op(PickleOpcode.BinPersistentId)),
            ("protocol 9", w => w.Op(PickleOpcode.Protocol, 9)),
            ("valid UTF-8", w => w.Op(PickleOpcode.BinUnicode, 2, 0, 0, 0, 0xc3, 0x28)),
            ("longer than", w => w.Op(PickleOpcode.Global, new byte[400])),
            ("not a dictionary", w => w.Op(PickleOpcode.None)),
            ("not a dictionary", w => w.Op(PickleOpcode.EmptyList)),
        ];
        foreach (var (what, write) in pickles)
            AssertRefused(TorchFile.Zip(write(new PickleWriter()).Stop()), what);
    }

    [Test]
    public void Lengths_beyond_the_end_are_refused_before_memory_is_taken()
    {
        byte[] huge = [255, 255, 255, 127];
        byte[] hugest = [255, 255, 255, 255, 255, 255, 255, 255];
        (string What, PickleOpcode Opcode, byte[] Length)[] cases =
        [
            ("cut off", PickleOpcode.BinUnicode, huge), ("cut off", PickleOpcode.BinBytes, huge),
            ("cut off", PickleOpcode.BinUnicode8, [.. huge, .. huge]), ("cut off", PickleOpcode.BinUnicode8, hugest),
            ("cut off", PickleOpcode.BinBytes8, hugest), ("an integer of", PickleOpcode.Long4, huge),
        ];
        foreach (var (what, opcode, length) in cases)
            AssertRefused(TorchFile.Zip(new PickleWriter().Op(opcode, length).Stop()), what);
    }

    [Test]
    public void Tensors_outside_their_storage_are_refused([Values] Container container)
    {
        const long Huge = long.MaxValue;
        (string What, long Offset, long[] Sizes, long[] Strides)[] tensors =
        [
            ("reaches past", 1, [6], [1]),
            ("reaches past", 0, [7], [1]),
            ("reaches past", 0, [2, 3], [4, 1]),
            ("reaches past", 6, [], []),
            ("reaches past", Huge, [1], [1]),
            ("reaches past", Huge, [2, 2], [Huge, Huge]),
            ("reaches past", 0, [2, 2, 2], [Huge, Huge, Huge]),
            ("reaches past", 0, [int.MaxValue, int.MaxValue, int.MaxValue], [1, 1, 1]),
            ("negative", -1, [2], [1]),
            ("negative", 5, [3], [-1]),
            ("negative or too large", 0, [-1], [1]),
            ("negative or too large", 0, [1L << 32], [0]),
            ("negative or too large", 0, [-1, -6], [6, 1]),
            ("strides", 0, [2, 3], [1]),
            ("dimensions", 0, [.. Enumerable.Repeat(1L, 17)], [.. Enumerable.Repeat(1L, 17)]),
        ];
        foreach (var (what, offset, sizes, strides) in tensors)
        {
            var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, offset, sizes, strides));
            AssertRefused(TorchFile.Build(container, pickle, ("0", Six)), what);
        }
    }

    [Test]
    public void Views_that_repeat_one_number_without_end_are_refused([Values] Container container)
    {
        var one = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [1 << 30, 1 << 30], [0, 0]));
        AssertRefused(TorchFile.Build(container, one, ("0", Six)), "repeats");
        var huge = Dict(w => w.Text("t")
            .Tensor("0", "FloatStorage", 6, 0, [.. Enumerable.Repeat((long)int.MaxValue, 16)], new long[16]));
        AssertRefused(TorchFile.Build(container, huge, ("0", Six)), "repeats");
        var many = Dict(w =>
        {
            for (int i = 0; i < 100; i++)
                w.Text($"t{i}").Tensor("0", "FloatStorage", 6, 0, [1 << 18], [0]);
        });
        AssertRefused(TorchFile.Build(container, many, ("0", Six)), "repeats", 1 << 27);
    }

    [Test]
    public void Storages_that_are_not_there_are_refused([Values] Container container)
    {
        var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        AssertRefused(TorchFile.Build(container, pickle), "missing");
        AssertRefused(TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(5))), "declared");
        AssertRefused(TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(7))), "declared");
        foreach (long count in new[] { -1, 1L << 40, long.MaxValue / 4, long.MaxValue })
        {
            var announced = Dict(w => w.Text("t").Tensor("0", "FloatStorage", count, 0, [6], [1]));
            AssertRefused(TorchFile.Build(container, announced, ("0", Six)), "declared");
        }
        var twoTypes = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1])
            .Text("u").Tensor("0", "DoubleStorage", 3, 0, [3], [1]));
        AssertRefused(TorchFile.Build(container, twoTypes, ("0", Six)), "declared with");
    }

    [Test]
    public void Names_that_occur_twice_are_refused([Values] Container container)
    {
        var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1])
            .Text("t").Tensor("0", "FloatStorage", 6, 0, [3], [1]));
        AssertRefused(TorchFile.Build(container, pickle, ("0", Six)), "occurs twice");
    }

    [Test]
    public void Values_within_themselves_are_refused([Values] Container container)
    {
        var list = new PickleWriter().OrderedDict().Text("t").Op(PickleOpcode.EmptyList).Op(
            PickleOpcode.LongBinPut, 0, 0, 0, 1)
            .Op(PickleOpcode.LongBinGet, 0, 0, 0, 1).Op(PickleOpcode.Append).Op(PickleOpcode.SetItem).Stop();
        AssertRefused(TorchFile.Build(container, list), "within themselves");
        var dict = new PickleWriter().Op(PickleOpcode.EmptyDict).Op(PickleOpcode.LongBinPut, 0, 0, 0, 1).Text(
            "state_dict")
            .Op(PickleOpcode.LongBinGet, 0, 0, 0, 1).Op(PickleOpcode.SetItem).Stop();
        AssertRefused(TorchFile.Build(container, dict), "within themselves");
    }

    [Test]
    public void Deep_nesting_is_refused([Values(200, 1_000_000)] int depth)
    {
        var pickle = new PickleWriter().OrderedDict().Text("t")
            .Raw([.. Enumerable.Repeat((byte)PickleOpcode.EmptyList, depth)])
            .Raw([.. Enumerable.Repeat((byte)PickleOpcode.Append, depth - 1)])
            .Op(PickleOpcode.SetItem).Stop();
        AssertRefused(TorchFile.Zip(pickle), "nested", 1 << 28);
    }

    [Test]
    public void Sharing_that_doubles_at_every_level_takes_no_time()
    {
        var pickle = new PickleWriter().OrderedDict().Text("t").Op(PickleOpcode.EmptyTuple);
        for (int level = 0; level < 90; level++)
            pickle.Op(PickleOpcode.LongBinPut, 0, 0, 0, 1).Op(PickleOpcode.LongBinGet, 0, 0, 0, 1).Op(
                PickleOpcode.Tuple2);
        AssertRefused(TorchFile.Zip(pickle.Op(PickleOpcode.SetItem).Stop()), "no tensors");
    }

    [Test]
    public void Calls_that_copy_a_list_again_and_again_are_refused()
    {
        var pickle = new PickleWriter().OrderedDict()
            .Op(PickleOpcode.EmptyList).Op(PickleOpcode.Mark);
        for (int i = 0; i < 10_000; i++)
            pickle.Op(PickleOpcode.EmptyTuple).Op(PickleOpcode.EmptyTuple).Op(PickleOpcode.Tuple2);
        pickle.Op(PickleOpcode.Appends).Op(PickleOpcode.Tuple1).Op(PickleOpcode.LongBinPut, 0, 0, 0, 1);
        for (int i = 0; i < 10_000; i++)
            pickle.Global("collections", "OrderedDict").Op(PickleOpcode.LongBinGet, 0, 0, 0, 1).Op(PickleOpcode.Reduce);
        AssertRefused(TorchFile.Zip(pickle.Stop()), "pairs", 1 << 27);
    }

    [TestCase(90, 2, "no tensors")]
    [TestCase(4, 50, "names")]
    public void Dictionaries_that_are_shared_at_every_level_are_refused(int levels, int keys, string what)
    {
        var pickle = new PickleWriter().OrderedDict().Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1])
            .Op(PickleOpcode.SetItem);
        for (int level = 0; level < levels; level++)
        {
            // Every key has the dictionary of the level below.
            pickle.Op(PickleOpcode.LongBinPut, 0, 0, 0, 1).Op(PickleOpcode.Pop).Op(PickleOpcode.EmptyDict);
            for (int key = 0; key < keys; key++)
                pickle.Text($"k{key}").Op(PickleOpcode.LongBinGet, 0, 0, 0, 1).Op(PickleOpcode.SetItem);
        }
        AssertRefused(TorchFile.Zip(pickle.Stop(), ("0", Six)), what, 1 << 29);
    }

    [Test]
    public void Long_names_of_objects_take_no_memory()
    {
        var pickle = new PickleWriter().OrderedDict().Text(new string('m', 1 << 16)).Op(PickleOpcode.LongBinPut, 0, 0, 0, 1)
            .Op(PickleOpcode.Pop).Text("list").Op(PickleOpcode.EmptyList).Op(PickleOpcode.Mark);
        for (int i = 0; i < 100_000; i++)
        {
            pickle.Op(PickleOpcode.LongBinGet, 0, 0, 0, 1).Op(PickleOpcode.LongBinGet, 0, 0, 0, 1)
                .Op(PickleOpcode.StackGlobal);
        }
        pickle.Op(PickleOpcode.Appends).Op(PickleOpcode.SetItem);
        AssertRefused(TorchFile.Zip(pickle.Stop()), "no tensors", 1 << 25);
    }

    [Test]
    public void Endless_instructions_are_refused() => AssertRefused(
        TorchFile.Zip(new PickleWriter().Raw([.. Enumerable.Repeat((byte)PickleOpcode.EmptyDict, 1 << 23)]).Stop()),
        "instructions",
        1 << 29);

    [Test]
    public void Checkpoints_without_tensors_are_refused_with_their_keys() => AssertRefused(
        TorchFile.Zip(Dict(w => w.Text("epoch\n").Whole(3).Text("generator").Op(PickleOpcode.EmptyDict))),
        "'epoch ', 'generator'");

    [Test]
    public void A_file_cut_off_anywhere_is_refused([Values] Container container)
    {
        var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        var file = TorchFile.Build(container, pickle, ("0", Six));
        for (int length = 0; length < file.Length; length++)
        {
            var part = file[..length];
            Assert.That(() => TorchFile.Load(part), Throws.TypeOf<InvalidDataException>(), $"{length} bytes");
        }
    }

    [Test]
    public void Zip_files_that_are_no_checkpoint_are_refused()
    {
        var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        byte[] six = Six.Bytes.ToArray();
        AssertRefused(TorchFile.Zip([]), "no data.pkl");
        AssertRefused(TorchFile.Zip([("a/other", [])]), "no data.pkl");
        AssertRefused(TorchFile.Zip([("a/data.pkl", pickle), ("b/data.pkl", pickle)]), "more than one");
        AssertRefused(TorchFile.Zip([("a/data.pkl", pickle), ("a/data/0", six), ("a/data/0", six)]), "occurs twice");
        AssertRefused(
            TorchFile.Zip([("a/data.pkl", pickle), ("a/data/0", six), ("a/byteorder", "big"u8.ToArray())]), "'big'");
    }

    [Test]
    public void Compressed_entries_are_refused()
    {
        var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 1 << 22, 0, [1 << 22], [1]));
        var bomb = TorchFile.Zip(
            [("a/data.pkl", pickle), ("a/data/0", new byte[1 << 24])], CompressionLevel.SmallestSize);
        AssertRefused(bomb, "compressed");
    }

    [Test]
    public void Entries_that_overlap_are_refused()
    {
        const int Entries = 100;
        const int Count = 1 << 18;
        var pickle = Dict(w =>
        {
            for (int i = 0; i < Entries; i++)
                w.Text($"t{i}").Tensor($"{i:d3}", "FloatStorage", Count, 0, [Count], [1]);
        });
        // The first storage has its bytes; the directory says that the others have the same.
        (string, byte[])[] entries =
        [
            ("a/data.pkl", pickle),
            .. Enumerable.Range(0, Entries)
                .Select(i => ($"a/data/{i:d3}", i == 0 ? new byte[Count * sizeof(float)] : [])),
        ];
        var file = TorchFile.Zip(entries);
        var directory = DirectoryRecords(file).ToArray();
        foreach (int record in directory[2..])
        {
            file.AsSpan(directory[1] + 10, 2).CopyTo(file.AsSpan(record + 10));
            file.AsSpan(directory[1] + 16, 12).CopyTo(file.AsSpan(record + 16));
            file.AsSpan(directory[1] + 42, 4).CopyTo(file.AsSpan(record + 42));
        }
        AssertRefused(file, "overlap");
    }

    [Test]
    public void Sizes_beyond_the_zip_file_are_refused()
    {
        const uint Count = 0x3fffffff;
        var pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", Count, 0, [Count], [1]));
        var file = TorchFile.Zip([("a/data.pkl", pickle), ("a/data/0", Six.Bytes.ToArray())]);
        int record = DirectoryRecords(file).Last();
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(record + 20), Count * 4);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(record + 24), Count * 4);
        AssertRefused(file, "larger than the file");
    }

    [Test]
    public void Legacy_headers_that_are_wrong_are_refused()
    {
        byte[] Header(long protocol, PickleOpcode littleEndian) =>
        [
            .. TorchFile.Magic(), .. new PickleWriter().Whole(protocol).Stop(),
            .. new PickleWriter().Op(PickleOpcode.EmptyDict).Text("little_endian").Op(littleEndian)
                .Op(PickleOpcode.SetItem).Stop(),
        ];
        byte[] pickle = Dict(w => w.Text("t").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        byte[] contents = TorchFile.Contents(("0", Six));
        Assert.That(
            TorchFile.Load([.. Header(1001, PickleOpcode.NewTrue), .. pickle, .. contents]), Has.Count.EqualTo(1));
        AssertRefused([.. Header(1000, PickleOpcode.NewTrue), .. pickle, .. contents], "not 1001");
        AssertRefused([.. Header(1001, PickleOpcode.NewFalse), .. pickle, .. contents], "little-endian");
        AssertRefused(
            [.. Header(1001, PickleOpcode.NewTrue), .. pickle, .. new PickleWriter().Whole(1).Stop()], "not a list");
        AssertRefused(
            [.. Header(1001, PickleOpcode.NewTrue), .. pickle, .. TorchFile.Contents(("0", Six), ("0", Six))], "twice");
        AssertRefused(
            [.. Header(1001, PickleOpcode.NewTrue), .. pickle, .. TorchFile.Contents(("9", Six), ("0", Six))],
            "no tensor uses");
        AssertRefused([.. Header(1001, PickleOpcode.NewTrue), .. pickle, .. contents[..^1]], "cut off");
    }

    [Test]
    public void The_path_is_in_the_message()
    {
        using var folder = new TemporaryFolder();
        string path = folder["wrong.pth"];
        File.WriteAllBytes(path, TorchFile.Zip(new PickleWriter().Global("os", "system").Stop()));
        Assert.That(
            () => StateDict.Load(path),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(path).And.Message.Contains("os.system"));
        Assert.That(() => StateDict.Load(folder["absent.pth"]), Throws.TypeOf<FileNotFoundException>());
    }

    private static byte[] Dict(Action<PickleWriter> fill)
    {
        var writer = new PickleWriter().OrderedDict().Op(PickleOpcode.Mark);
        fill(writer);
        return writer.Op(PickleOpcode.SetItems).Stop();
    }

    private static IEnumerable<int> DirectoryRecords(byte[] zip)
    {
        for (int i = 0; i + 4 < zip.Length; i++)
        {
            if (zip.AsSpan(i, 4).SequenceEqual("PK\x01\x02"u8))
                yield return i;
        }
    }

    private static void AssertRefused(byte[] file, string what, long memory = Small)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(
            () => TorchFile.Load(file),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(what).And.Message.Not.Contains("\n"));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(memory + 4 * file.Length), what);
    }
}
