using NUnit.Framework;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Checkpoints as torch.save writes them, put together by hand.</summary>
[TestFixture]
public sealed class TorchCheckpointTests
{
    private static readonly (string Torch, CheckpointType Type)[] StorageTypes =
    [
        ("DoubleStorage", CheckpointType.Float64), ("FloatStorage", CheckpointType.Float32),
        ("HalfStorage", CheckpointType.Float16), ("BFloat16Storage", CheckpointType.BFloat16),
        ("LongStorage", CheckpointType.Int64), ("IntStorage", CheckpointType.Int32),
        ("ShortStorage", CheckpointType.Int16), ("CharStorage", CheckpointType.Int8),
        ("ByteStorage", CheckpointType.UInt8), ("BoolStorage", CheckpointType.Bool),
        ("storage.UntypedStorage", CheckpointType.UInt8),
    ];

    [Test]
    public void Storages_of_every_type_are_read([Values] Container container, [Values(2, 4)] int protocol)
    {
        foreach (var (torch, type) in StorageTypes)
        {
            var storage = TorchFile.Numbers(6, type);
            var pickle = Dict(protocol, w => w.Text("weight").Tensor("0", torch, 6, 0, [2, 3], [3, 1]));
            var entry = TorchFile.Load(TorchFile.Build(container, pickle, ("0", storage)))["weight"];
            Assert.That(entry.Type, Is.EqualTo(type), torch);
            Assert.That(entry.Shape, Is.EqualTo([2, 3]), torch);
            Assert.That(entry.ToDoubles(), Is.EqualTo(storage.ToDoubles()), torch);
        }
    }

    [Test]
    public void Views_with_offsets_and_strides_become_contiguous([Values] Container container)
    {
        var pickle = Dict(2, w => w
            .Text("transposed").Tensor("0", "FloatStorage", 20, 2, [3, 4], [1, 3])
            .Text("column").Tensor("0", "FloatStorage", 20, 1, [4], [5])
            .Text("scalar").Tensor("0", "FloatStorage", 20, 19, [], [])
            .Text("expanded").Tensor("0", "FloatStorage", 20, 7, [2, 3], [0, 0])
            .Text("part").Tensor("0", "FloatStorage", 20, 4, [2, 1, 2], [2, 77, 1])
            .Text("nothing").Tensor("1", "FloatStorage", 0, 0, [3, 0], [1, 1]));
        var state = TorchFile.Load(
            TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(20)), ("1", TorchFile.Numbers(0))));
        Assert.That(state.Keys, Is.EqualTo(["transposed", "column", "scalar", "expanded", "part", "nothing"]));
        Assert.That(state["transposed"].ToFloats(), Is.EqualTo([2f, 5, 8, 11, 3, 6, 9, 12, 4, 7, 10, 13]));
        Assert.That(state["column"].ToFloats(), Is.EqualTo([1f, 6, 11, 16]));
        Assert.That(state["scalar"].ToFloats(), Is.EqualTo([19f]));
        Assert.That(state["scalar"].Shape, Is.Empty);
        Assert.That(state["expanded"].ToFloats(), Is.EqualTo([7f, 7, 7, 7, 7, 7]));
        Assert.That(state["part"].ToFloats(), Is.EqualTo([4f, 5, 6, 7]));
        Assert.That(state["nothing"].ToFloats(), Is.Empty);
    }

    [Test]
    public void Strides_of_every_element_size_are_followed(
        [Values("ByteStorage", "HalfStorage", "FloatStorage", "DoubleStorage")] string torch)
    {
        var type = StorageTypes.Single(t => t.Torch == torch).Type;
        var pickle = Dict(2, w => w.Text("t").Tensor("0", torch, 6, 0, [3, 2], [1, 3]));
        var entry = TorchFile.Load(TorchFile.Zip(pickle, ("0", TorchFile.Numbers(6, type))))["t"];
        Assert.That(entry.ToDoubles(), Is.EqualTo([0.0, 3, 1, 4, 2, 5]));
    }

    [Test]
    public void Parameters_and_sizes_are_unwrapped([Values] Container container)
    {
        var pickle = Dict(2, w => w.Text("weight")
            .Global("torch._utils", "_rebuild_parameter").Op(PickleOpcode.Mark)
            .Global("torch._utils", "_rebuild_tensor_v2").Op(PickleOpcode.Mark)
            .Storage("0", "FloatStorage", 4).Whole(0)
            .Global("torch", "Size").Tuple(2, 2).Op(PickleOpcode.Tuple1).Op(PickleOpcode.Reduce)
            .Tuple(2, 1).Op(PickleOpcode.NewTrue).OrderedDict().Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce)
            .Op(PickleOpcode.NewTrue).OrderedDict().Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce));
        var state = TorchFile.Load(TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(4))));
        Assert.That(state["weight"].ToFloats(), Is.EqualTo([0f, 1, 2, 3]));
    }

    [Test]
    public void The_metadata_of_a_state_dict_is_passed_over()
    {
        var pickle = new PickleWriter().OrderedDict().Op(PickleOpcode.Mark)
            .Text("bias").Tensor("0", "FloatStorage", 2, 0, [2], [1]).Op(PickleOpcode.SetItems)
            .Op(PickleOpcode.EmptyDict).Text("_metadata").OrderedDict().Text(string.Empty)
            .Op(PickleOpcode.EmptyDict).Text("version").Whole(1).Op(PickleOpcode.SetItem).Op(PickleOpcode.SetItem)
            .Op(PickleOpcode.SetItem).Op(PickleOpcode.Build).Stop();
        Assert.That(TorchFile.Load(TorchFile.Zip(pickle, ("0", TorchFile.Numbers(2)))).Keys, Is.EqualTo(["bias"]));
    }

    [Test]
    public void An_ordered_dictionary_of_pairs_is_read()
    {
        var pickle = new PickleWriter().Global("collections", "OrderedDict")
            .Op(PickleOpcode.EmptyList).Op(PickleOpcode.EmptyList).Op(PickleOpcode.Mark)
            .Op(PickleOpcode.ShortBinString, 1, (byte)'w').Tensor("0", "FloatStorage", 2, 0, [2], [1])
            .Op(PickleOpcode.Appends).Op(PickleOpcode.Append).Op(PickleOpcode.Tuple1).Op(PickleOpcode.Reduce).Stop();
        Assert.That(TorchFile.Load(TorchFile.Zip(pickle, ("0", TorchFile.Numbers(2)))).Keys, Is.EqualTo(["w"]));
    }

    [Test]
    public void The_state_dict_of_a_checkpoint_is_found(
        [Values("state_dict", "model")] string wrapper, [Values] Container container)
    {
        var pickle = Dict(2, w => w
            .Text("meta").Op(PickleOpcode.EmptyDict).Text("time").Text("noon").Op(PickleOpcode.SetItem)
            .Text("epoch").Whole(3)
            .Text("loss").Op(PickleOpcode.BinFloat, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0)
            .Text("other").Tensor("1", "FloatStorage", 5, 0, [5], [1])
            .Text(wrapper).OrderedDict().Op(PickleOpcode.Mark)
            .Text("q.weight").Tensor("0", "FloatStorage", 6, 0, [2, 3], [3, 1])
            .Text("steps").Op(PickleOpcode.None).Op(PickleOpcode.SetItems));
        var state = TorchFile.Load(
            TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(6)), ("1", TorchFile.Numbers(5))));
        Assert.That(state.Keys, Is.EqualTo(["q.weight"]));
    }

    [Test]
    public void Plain_values_beside_tensors_are_left_out([Values] Container container)
    {
        var pickle = Dict(2, w => w.Text("epoch").Whole(-1L << 40).Text("t").Tensor("0", "FloatStorage", 1, 0, [], [])
            .Whole(7).Text("a key that is no text"));
        var state = TorchFile.Load(TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(1))));
        Assert.That(state.Keys, Is.EqualTo(["t"]));
    }

    [Test]
    public void An_empty_state_dict_is_empty([Values] Container container) =>
        Assert.That(TorchFile.Load(TorchFile.Build(container, new PickleWriter().OrderedDict().Stop())), Is.Empty);

    [Test]
    public void A_storage_that_nothing_needs_is_not_read()
    {
        var pickle = Dict(2, w => w
            .Text("optimizer").Op(PickleOpcode.EmptyDict).Text("step").Tensor("1", "FloatStorage", 5, 0, [5], [1])
            .Op(PickleOpcode.SetItem)
            .Text("t").Tensor("0", "FloatStorage", 1, 0, [1], [1]));
        Assert.That(TorchFile.Load(TorchFile.Zip(pickle, ("0", TorchFile.Numbers(1)))).Keys, Is.EqualTo(["t"]));
    }

    [Test]
    public void Contiguous_tensors_of_a_storage_share_its_memory()
    {
        var pickle = Dict(2, w =>
        {
            for (int i = 0; i < 2000; i++)
                w.Text($"tied{i}").Tensor("0", "FloatStorage", 1 << 16, 0, [1 << 16], [1]);
        });
        var file = TorchFile.Zip(pickle, ("0", TorchFile.Numbers(1 << 16)));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(TorchFile.Load(file), Has.Count.EqualTo(2000));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 25));
    }

    [Test]
    public void A_stream_that_cannot_seek_or_stands_elsewhere_is_read_to_its_end([Values] Container container)
    {
        var pickle = Dict(2, w => w.Text("t").Tensor("0", "FloatStorage", 3, 0, [3], [1]));
        var file = TorchFile.Build(container, pickle, ("0", TorchFile.Numbers(3)));
        using var stream = new MemoryStream([1, 2, 3, .. file]) { Position = 3 };
        Assert.That(StateDict.Load(stream)["t"].ToFloats(), Is.EqualTo([0f, 1, 2]));
        using var forward = new BufferedStream(new ForwardStream(file));
        Assert.That(StateDict.Load(forward)["t"].ToFloats(), Is.EqualTo([0f, 1, 2]));
    }

    private static byte[] Dict(int protocol, Action<PickleWriter> fill)
    {
        var writer = new PickleWriter(protocol).OrderedDict().Op(PickleOpcode.Mark);
        fill(writer);
        return writer.Op(PickleOpcode.SetItems).Stop();
    }

    private sealed class ForwardStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
