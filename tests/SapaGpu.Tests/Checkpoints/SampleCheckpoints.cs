using SapaGpu.Checkpoints;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Small sound checkpoints, to be damaged.</summary>
internal static class SampleCheckpoints
{
    /// <summary>The storages that <see cref="Pickle"/> refers to.</summary>
    public static (string Key, StateEntry Content)[] Storages { get; } =
        [("0", TorchFile.Numbers(24)), ("1", TorchFile.Numbers(6, CheckpointType.Float16))];

    /// <summary>A .safetensors file with an entry of every type.</summary>
    public static byte[] Safetensors()
    {
        var state = new StateDict();
        foreach (var type in Enum.GetValues<CheckpointType>().Where(type => type != CheckpointType.Other))
            state.Add(StateEntry.FromDoubles($"entry.{type}", [2, 2], [1, 2, 3, 4], type));
        state.Metadata["format"] = "pt";
        using var stream = new MemoryStream();
        state.Save(stream);
        return stream.ToArray();
    }

    /// <summary>The pickle of a dictionary of training, with objects beside tensors.</summary>
    public static byte[] Pickle(int protocol) =>
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
