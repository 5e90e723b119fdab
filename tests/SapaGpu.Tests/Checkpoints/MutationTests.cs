using NUnit.Framework;
using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Files of every format that are damaged at random are read or refused, and do no harm.</summary>
[TestFixture]
[NonParallelizable]
public sealed class MutationTests
{
    private const int Mutations = 4000;
    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(10);

    private static readonly (string Key, StateEntry Content)[] Storages =
        [("0", TorchFile.Numbers(24)), ("1", TorchFile.Numbers(6, CheckpointType.Float16))];

    [Test]
    public void Damaged_checkpoints_of_PyTorch_do_no_harm([Values] Container container, [Values(2, 4)] int protocol)
    {
        var file = TorchFile.Build(container, Pickle(protocol), Storages);
        Assert.That(TorchFile.Load(file), Has.Count.EqualTo(3));
        Mutation.AssertHarmless(file, Mutations, LongestLoad);
    }

    [Test]
    public void Damaged_pickles_in_a_sound_file_do_no_harm([Values] Container container, [Values(2, 4)] int protocol) =>
        Mutation.AssertHarmless(
            Pickle(protocol), pickle => TorchFile.Build(container, pickle, Storages), Mutations, LongestLoad);

    [Test]
    public void Damaged_safetensors_do_no_harm()
    {
        var state = new StateDict();
        foreach (var type in Enum.GetValues<CheckpointType>().Where(type => type != CheckpointType.Other))
            state.Add(StateEntry.FromDoubles($"entry.{type}", [2, 2], [1, 2, 3, 4], type));
        state.Metadata["format"] = "pt";
        using var stream = new MemoryStream();
        state.Save(stream);
        Mutation.AssertHarmless(stream.ToArray(), Mutations, LongestLoad);
    }

    private static byte[] Pickle(int protocol) =>
        new PickleWriter(protocol).OrderedDict().Op(PickleOpcode.Mark)
            .Text("epoch").Whole(1 << 20)
            .Text("history").Global("tools.logging", "History").Tuple(1).Op(PickleOpcode.NewObj)
            .Op(PickleOpcode.EmptyDict).Text("losses").Whole(3).Op(PickleOpcode.SetItem).Op(PickleOpcode.Build)
            .Text("steps").Op(PickleOpcode.EmptySet).Op(PickleOpcode.Mark).Whole(1).Op(PickleOpcode.AddItems)
            .Text("state_dict").OrderedDict().Op(PickleOpcode.Mark)
            .Text("q.weight").Tensor("0", "FloatStorage", 24, 2, [4, 3], [1, 5])
            .Text("q.bias").Tensor("0", "FloatStorage", 24, 20, [4], [1])
            .Text("k.weight").Tensor("1", "HalfStorage", 6, 0, [2, 3], [3, 1])
            .Op(PickleOpcode.SetItems)
            .Op(PickleOpcode.SetItems).Stop();
}
