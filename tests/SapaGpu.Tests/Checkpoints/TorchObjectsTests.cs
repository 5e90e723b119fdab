using NUnit.Framework;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Checkpoints as training programs write them: Python objects beside the tensors, which are passed over.</summary>
[TestFixture]
public sealed class TorchObjectsTests
{
    private static readonly (string Key, StateEntry Content)[] Storages = [("0", TorchFile.Numbers(6))];

    // An object that lies beside the tensors, instruction by instruction.
    private static IEnumerable<TestCaseData> Objects =>
    [
        Named("class", w => w.Global("builtins", "print")),
        Named("call", w => w.Global("os", "system").Text("echo harm").Op(PickleOpcode.Tuple1).Op(PickleOpcode.Reduce)),
        Named("object with attributes", w => w.Global("argparse", "Namespace").Tuple().Op(PickleOpcode.NewObj)
            .Op(PickleOpcode.EmptyDict).Text("lr").Whole(1).Op(PickleOpcode.SetItem).Op(PickleOpcode.Build)),
        Named("object with keyword arguments", w => w.Global("a.b", "C").Tuple(1).Op(PickleOpcode.EmptyDict)
            .Op(PickleOpcode.NewObjEx)),
        Named("call of an object", w => w.Global("functools", "partial").Tuple().Op(PickleOpcode.Reduce)
            .Tuple(1).Op(PickleOpcode.Reduce)),
        Named("dictionary of another class", w => w.Global("collections", "defaultdict")
            .Global("builtins", "list").Op(PickleOpcode.Tuple1).Op(PickleOpcode.Reduce)
            .Op(PickleOpcode.Mark).Text("a").Whole(1).Op(PickleOpcode.SetItems)),
        Named("list of another class", w => w.Global("collections", "deque").Tuple().Op(PickleOpcode.Reduce)
            .Op(PickleOpcode.Mark).Whole(1).Whole(2).Op(PickleOpcode.Appends).Whole(3).Op(PickleOpcode.Append)),
        Named("array scalar", w => w.Global("numpy.core.multiarray", "scalar")
            .Global("numpy", "dtype").Text("f8").Op(PickleOpcode.NewFalse).Op(PickleOpcode.NewTrue).Op(PickleOpcode.Tuple3)
            .Op(PickleOpcode.Reduce).Tuple(3, -1, 0).Op(PickleOpcode.Build)
            .Op(PickleOpcode.ShortBinString, 2, 0xc3, 0x28).Op(PickleOpcode.Tuple2).Op(PickleOpcode.Reduce)),
        Named("name of a file that is no text", w => w.Op(PickleOpcode.BinUnicode, 5, 0, 0, 0, (byte)'a', 0xed, 0xb3, 0xbf, (byte)'b')),
        Named("set of Python 2", w => w.Global("__builtin__", "set").Op(PickleOpcode.EmptyList).Op(PickleOpcode.Tuple1)
            .Op(PickleOpcode.Reduce)),
        Named("set", w => w.Op(PickleOpcode.EmptySet).Op(PickleOpcode.Mark).Whole(1).Op(PickleOpcode.AddItems)),
        Named("frozen set", w => w.Op(PickleOpcode.Mark).Whole(1).Op(PickleOpcode.FrozenSet)),
        Named("bytes that change", w => w.Op(PickleOpcode.ByteArray8, 1, 0, 0, 0, 0, 0, 0, 0, 7)),
        Named("instance of an old class", w => w.Op(PickleOpcode.Mark).Global("a", "B").Whole(1).Op(PickleOpcode.Obj)),
        Named("instance by name", w => w.Op(PickleOpcode.Mark).Whole(1).Op(PickleOpcode.Inst, "a\nB\n"u8)),
        Named("registered class", w => w.Op(PickleOpcode.Ext1, 7).Tuple().Op(PickleOpcode.NewObj)),
        Named("value that is dropped", w => w.Whole(1).Op(PickleOpcode.Mark).Whole(2).Op(PickleOpcode.PopMark)
            .Whole(3).Op(PickleOpcode.Pop)),
        Named("tensor of complex numbers", w => w.Tensor("1", "ComplexFloatStorage", 1, 0, [1], [1])),
        Named("tensor of a new type", w => w.Global("torch._utils", "_rebuild_tensor_v3").Op(PickleOpcode.Mark)
            .Storage("1", "storage.UntypedStorage", 8).Whole(0).Tuple(8).Tuple(1).Op(PickleOpcode.NewFalse).OrderedDict()
            .Global("torch", "float8_e4m3fn").Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce)),
        Named("sparse tensor", w => w.Global("torch._utils", "_rebuild_sparse_tensor")
            .Tuple().Op(PickleOpcode.Reduce)),
    ];

    [TestCaseSource(nameof(Objects))]
    public void What_is_beside_the_tensors_is_passed_over(Delegate value)
    {
        var write = (Action<PickleWriter>)value;
        foreach (int protocol in new[] { 2, 4 })
        {
            foreach (var container in Enum.GetValues<Container>())
            {
                // Beside the state_dict, and inside of it.
                var pickle = Dict(protocol, w =>
                {
                    w.Text("before");
                    write(w);
                    w.Text("state_dict").OrderedDict().Op(PickleOpcode.Mark).Text("inside");
                    write(w);
                    w.Text("q.weight").Tensor("0", "FloatStorage", 6, 0, [2, 3], [3, 1]).Op(PickleOpcode.SetItems);
                });
                var storages = Storages.Append(("1", TorchFile.Numbers(8, CheckpointType.UInt8))).ToArray();
                var file = container == Container.Zip
                    ? TorchFile.Zip(pickle, storages)
                    : TorchFile.Legacy(pickle, Uses(pickle, "Complex") ? WithComplex() : Uses(pickle, "v3") ? storages : Storages);
                var state = TorchFile.Load(file);
                Assert.That(state.Keys, Is.EqualTo(["q.weight"]), $"{container}");
                Assert.That(state["q.weight"].ToFloats(), Is.EqualTo([0f, 1, 2, 3, 4, 5]), $"{container}");
            }
        }
    }

    [TestCaseSource(nameof(Objects))]
    public void A_parameter_that_is_an_object_is_the_error(Delegate value)
    {
        var write = (Action<PickleWriter>)value;
        var pickle = Dict(2, w =>
        {
            w.Text("q.weight");
            write(w);
            w.Text("q.bias").Tensor("0", "FloatStorage", 6, 0, [6], [1]);
        });
        var state = TorchFile.Load(TorchFile.Zip(pickle, Storages));
        foreach (bool strict in new[] { true, false })
        {
            var error = Assert.Throws<StateMismatchException>(
                () => StateMatching.Match([new("q.weight", [2, 3]), new("q.bias", [6])], state, strict));
            Assert.That(error!.Unreadable, Is.EqualTo(["q.weight"]));
            Assert.That(error.Missing, Is.Empty);
            Assert.That(error.Message, Does.Contain("q.weight is ").And.Not.Contain("\n"));
        }
    }

    [Test]
    public void The_message_names_the_class_of_an_object()
    {
        var pickle = Dict(2, w => w.Text("w").Global("numpy.core.multiarray", "_reconstruct").Tuple(1).Op(PickleOpcode.Reduce)
            .Text("v").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        Assert.That(
            () => StateMatching.Match([new("w", [6])], TorchFile.Load(TorchFile.Zip(pickle, Storages)), strict: false),
            Throws.TypeOf<StateMismatchException>()
                .With.Message.Contains("w is an object of 'numpy.core.multiarray._reconstruct'"));
        var model = new PickleWriter().Global("nets", "Segmenter").Tuple().Op(PickleOpcode.NewObj)
            .Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Build).Stop();
        Assert.That(
            () => TorchFile.Load(TorchFile.Zip(model)),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("nets.Segmenter").And.Message.Contains("state_dict"));
        Assert.That(
            () => TorchFile.Load(TorchFile.Zip(Dict(2, w => w.Text("model").Global("nets", "Segmenter")))),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("'model', an object of 'nets.Segmenter'"));
    }

    [Test]
    public void Tensors_inside_of_objects_are_not_reached()
    {
        var pickle = Dict(2, w => w.Text("model").Global("nets", "Dict").Tuple().Op(PickleOpcode.NewObj)
            .Text("weight").Tensor("0", "FloatStorage", 6, 0, [6], [1]).Op(PickleOpcode.SetItem)
            .Text("other").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        Assert.That(TorchFile.Load(TorchFile.Zip(pickle, Storages)).Keys, Is.EqualTo(["other"]));
    }

    [Test]
    public void A_tensor_of_a_type_that_is_not_read_is_unexpected()
    {
        var pickle = Dict(2, w => w.Text("phase").Tensor("1", "ComplexFloatStorage", 1, 0, [1], [1])
            .Text("w").Tensor("0", "FloatStorage", 6, 0, [6], [1]));
        var state = TorchFile.Load(TorchFile.Zip(pickle, Storages));
        Assert.That(
            () => StateMatching.Match([new("w", [6])], state),
            Throws.TypeOf<StateMismatchException>().With.Property(nameof(StateMismatchException.Unexpected)).EqualTo(
                new[] { "phase" }));
        Assert.That(StateMatching.Match([new("w", [6])], state, strict: false).Entries, Has.Count.EqualTo(1));
    }

    [Test]
    public void Parameters_with_attributes_are_unwrapped([Values] Container container)
    {
        var pickle = Dict(2, w =>
        {
            w.Text("a").Global("torch._tensor", "_rebuild_from_type_v2").Op(PickleOpcode.Mark)
                .Global("torch._utils", "_rebuild_tensor_v2").Global("nets", "Weight")
                .Op(PickleOpcode.Mark).Storage("0", "FloatStorage", 6).Whole(0).Tuple(6).Tuple(1)
                .Op(PickleOpcode.NewFalse).OrderedDict().Op(PickleOpcode.Tuple)
                .Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce);
            w.Text("b").Global("torch._utils", "_rebuild_parameter_with_state").Op(PickleOpcode.Mark)
                .Tensor("0", "FloatStorage", 6, 0, [6], [1]).Op(PickleOpcode.NewTrue).OrderedDict()
                .Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Tuple).Op(PickleOpcode.Reduce);
        });
        var state = TorchFile.Load(TorchFile.Build(container, pickle, Storages));
        Assert.That(state.Keys, Is.EqualTo(["a", "b"]));
        Assert.That(state["a"].ToFloats(), Is.EqualTo(state["b"].ToFloats()));
    }

    private static TestCaseData Named(string name, Action<PickleWriter> write) =>
        new TestCaseData(write).SetArgDisplayNames(name);

    private static bool Uses(byte[] pickle, string text) =>
        pickle.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(text)) >= 0;

    // The legacy format counts elements; eight bytes are one complex number.
    private static (string, StateEntry)[] WithComplex() =>
    [
        ("1", StateEntry.FromDoubles("1", [1], [0], CheckpointType.Float64)), .. Storages,
    ];

    private static byte[] Dict(int protocol, Action<PickleWriter> fill)
    {
        var writer = new PickleWriter(protocol).OrderedDict().Op(PickleOpcode.Mark);
        fill(writer);
        return writer.Op(PickleOpcode.SetItems).Stop();
    }
}
