using NUnit.Framework;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Tensors in inner dictionaries of a checkpoint: the one that is meant, and the others by their prefix.</summary>
[TestFixture]
public sealed class TorchDictionariesTests
{
    private const int Size = 4;
    private static readonly string[] Names = ["up.w", "up.b"];

    [Test]
    public void The_only_dictionary_with_tensors_is_read(
        [Values("network", "net", "ema", "teacher", "weights of the best epoch", "a.b")] string name,
        [Values] Container container)
    {
        using var folder = new TemporaryFolder();
        string file = Save(folder, container, w => w.Text("epoch").Whole(3).Text(name).Inner(0)
            .Text("optimizer").Op(PickleOpcode.EmptyDict).Text("groups").Op(PickleOpcode.EmptyList).Op(PickleOpcode.SetItem));
        Assert.That(StateDict.Load(file).Keys, Is.EqualTo(Names));
        Assert.That(StateDict.Load(file, "up.").Keys, Is.EqualTo(["w", "b"]));
        Assert.That(StateDict.Load(file, $"{name}.up.").Keys, Is.EqualTo(["w", "b"]));
        Assert.That(StateDict.Load(file).Subset($"{name}.up.").Keys, Is.EqualTo(["w", "b"]));
        Assert.That(StateDict.Load(file, "absent."), Is.Empty);
    }

    [TestCase("state_dict", "state_dict_ema")]
    [TestCase("model", "model_ema")]
    [TestCase("model_state_dict", "best_model_state_dict")]
    [TestCase("params", "params_ema")]
    [TestCase("net", "generator")]
    public void One_of_several_is_read_and_the_other_has_a_prefix(string main, string other)
    {
        foreach (bool isFirst in new[] { true, false })
        {
            using var folder = new TemporaryFolder();
            string file = Save(folder, Container.Zip, w =>
            {
                w.Text(isFirst ? main : other).Inner(isFirst ? 0 : 1);
                w.Text(isFirst ? other : main).Inner(isFirst ? 1 : 0);
            });
            Assert.That(First(StateDict.Load(file), "up.w"), Is.Zero);
            Assert.That(First(StateDict.Load(file, $"{main}."), "up.w"), Is.Zero);
            Assert.That(First(StateDict.Load(file, $"{other}."), "up.w"), Is.EqualTo(1));
            Assert.That(First(StateDict.Load(file, $"{other}.up."), "w"), Is.EqualTo(1));
        }
    }

    [Test]
    public void Where_none_stands_out_names_have_their_paths()
    {
        using var folder = new TemporaryFolder();
        string file = Save(folder, Container.Zip, w => w.Text("generator").Inner(0).Text("critic").Inner(1));
        var state = StateDict.Load(file);
        Assert.That(state.Keys, Is.EqualTo(["generator.up.w", "generator.up.b", "critic.up.w", "critic.up.b"]));
        Assert.That(First(state.Subset("critic."), "up.w"), Is.EqualTo(1));
        Assert.That(First(StateDict.Load(file, "critic."), "up.w"), Is.EqualTo(1));

        // Both would answer to it.
        Assert.That(StateDict.Load(file, "up."), Is.Empty);
        using var module = Module();
        Assert.That(
            () => module.Load(file),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains("critic.up.w"));
    }

    [Test]
    public void Deeper_dictionaries_are_found()
    {
        using var folder = new TemporaryFolder();
        string file = Save(folder, Container.Zip, w => w.Text("model").Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Mark)
            .Text("state_dict").Inner(0).Text("ema").Inner(1).Op(PickleOpcode.SetItems)
            .Text("random_state").Tensor("2", "FloatStorage", Size, 0, [Size], [1]));
        Assert.That(First(StateDict.Load(file), "up.w"), Is.Zero);
        Assert.That(First(StateDict.Load(file, "model.ema.up."), "w"), Is.EqualTo(1));
        Assert.That(First(StateDict.Load(file, "ema.up."), "w"), Is.EqualTo(1));
        Assert.That(First(StateDict.Load(file, "random_"), "state"), Is.EqualTo(2));
    }

    [Test]
    public void A_module_finds_the_dictionary_that_has_its_parameters()
    {
        using var folder = new TemporaryFolder();
        using var module = Module();
        string[] names = [.. module.Parameters.Select(p => p.Name)];
        string file = Save(folder, Container.Zip, w =>
        {
            w.Text("random_state").Tensor("2", "FloatStorage", Size, 0, [Size], [1]);
            w.Text("segmenter").OrderedDict().Op(PickleOpcode.Mark);
            foreach (var parameter in module.Parameters)
                w.Text($"module.{parameter.Name}").Tensor("3", "FloatStorage", 64, 0, Shape(parameter), Strides(parameter));
            w.Op(PickleOpcode.SetItems);
        });
        Assert.That(
            () => module.Load(file),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains("under the prefix 'segmenter.module.'"));
        Assert.That(
            () => module.Load(file, "segmenter.up."),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains("no name begins with 'segmenter.up.'")
                .And.Message.Contains("'segmenter.module.'"));
        Assert.That(module.Load(file, "segmenter.module.").IsComplete);
        Assert.That(module.Load(file, "module.").IsComplete);
        Assert.That(module.Parameters.Select(p => p.Read()[0]), Is.All.Zero);
        Assert.That(names, Is.Not.Empty);
    }

    [Test]
    public void A_module_takes_the_only_dictionary_with_its_names()
    {
        using var folder = new TemporaryFolder();
        using var module = Module();
        string Write(params string[] dictionaries) => Save(folder, Container.Zip, w =>
        {
            w.Text("random_state").Tensor("2", "FloatStorage", Size, 0, [Size], [1]);
            foreach (string name in dictionaries)
            {
                w.Text(name).OrderedDict().Op(PickleOpcode.Mark);
                foreach (var parameter in module.Parameters)
                    w.Text(parameter.Name).Tensor("3", "FloatStorage", 64, 0, Shape(parameter), Strides(parameter));
                w.Op(PickleOpcode.SetItems);
            }
        });
        Assert.That(module.Load(Write("segmenter")).IsComplete);
        Assert.That(
            () => module.Load(Write("student", "teacher")),
            Throws.TypeOf<StateMismatchException>().With.Message.Contains("'student.', 'teacher.'"));
    }

    [Test]
    public void Names_that_two_paths_lead_to_are_refused()
    {
        using var folder = new TemporaryFolder();
        string file = Save(folder, Container.Zip, w => w
            .Text("a").Op(PickleOpcode.EmptyDict).Text("b.c").Tensor("0", "FloatStorage", Size, 0, [1], [1]).Op(PickleOpcode.SetItem)
            .Text("a.b").Op(PickleOpcode.EmptyDict).Text("c").Tensor("1", "FloatStorage", Size, 0, [1], [1]).Op(PickleOpcode.SetItem));
        Assert.That(
            () => StateDict.Load(file),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("'a.b.c' occurs twice"));
    }

    [Test]
    public void Other_dictionaries_are_not_read()
    {
        // The storage of the other dictionary is not there.
        using var folder = new TemporaryFolder();
        string file = Save(folder, Container.Zip, w => w.Text("model").Inner(0).Text("moments").Inner(9));
        Assert.That(StateDict.Load(file).Keys, Is.EqualTo(Names));
        Assert.That(() => StateDict.Load(file, "moments."), Throws.TypeOf<InvalidDataException>());
    }

    private static SapaUpsampler<float> Module() => new(
        TestDevices.Open("cpu"), new SapaOptions { EncoderChannels = 3, DecoderChannels = 4, EmbeddingChannels = 2 });

    private static long[] Shape(Parameter parameter) => [.. parameter.Shape.Select(size => (long)size)];

    private static long[] Strides(Parameter parameter) => parameter.Shape.Count == 1 ? [1] : [parameter.Shape[1], 1];

    private static double First(StateDict state, string name) => state[name].ToDoubles()[0];

    private static string Save(TemporaryFolder folder, Container container, Action<PickleWriter> fill)
    {
        var writer = new PickleWriter().Op(PickleOpcode.EmptyDict).Op(PickleOpcode.Mark);
        fill(writer);
        (string, StateEntry)[] storages =
        [
            .. Enumerable.Range(0, 3).Select(i => ($"{i}", StateEntry.FromDoubles(
                "storage", [Size], [.. Enumerable.Repeat((double)i, Size)], CheckpointType.Float32))),
            ("3", StateEntry.FromDoubles("storage", [64], new double[64], CheckpointType.Float32)),
        ];
        var used = container == Container.Zip ? storages : storages[..1];
        string path = folder[$"{Guid.NewGuid()}.pth"];
        File.WriteAllBytes(path, TorchFile.Build(container, writer.Op(PickleOpcode.SetItems).Stop(), used));
        return path;
    }
}

/// <summary>Dictionaries that the tests write.</summary>
file static class InnerDictionaries
{
    /// <summary>A state_dict whose tensors all have the storage with a number.</summary>
    public static PickleWriter Inner(this PickleWriter writer, int storage) => writer
        .OrderedDict().Op(PickleOpcode.Mark)
        .Text("up.w").Tensor($"{storage}", "FloatStorage", 4, 0, [2, 2], [2, 1])
        .Text("up.b").Tensor($"{storage}", "FloatStorage", 4, 0, [2], [1])
        .Op(PickleOpcode.SetItems);
}
