using SapaGpu.Checkpoints;
using SapaGpu.Tests.Checkpoints;

namespace SapaGpu.Fuzz.Files;

/// <summary>Checkpoints of every format.</summary>
internal static class CheckpointFiles
{
    private static readonly (string Key, StateEntry Content)[] Storages =
        [("0", TorchFile.Numbers(24)), ("1", TorchFile.Numbers(6, CheckpointType.Float16))];

    public static IEnumerable<SoundFile> All()
    {
        yield return new("state.safetensors", Safetensors(), Load);
        foreach (var container in Enum.GetValues<Container>())
        {
            foreach (int protocol in new[] { 2, 4 })
            {
                var pickle = Pickle(protocol);
                string name = $"{container}-{protocol}.pth";
                yield return new(name, TorchFile.Build(container, pickle, Storages), Load);
                yield return new($"pickle-{name}", pickle, Load)
                {
                    Complete = part => TorchFile.Build(container, part, Storages),
                };
            }
        }
    }

    private static void Load(string path)
    {
        foreach (var entry in StateDict.Load(path).Values)
            _ = entry.Bytes.Span.Length + entry.Shape.Count + entry.ToString().Length;
    }

    private static byte[] Safetensors()
    {
        var state = new StateDict();
        foreach (var type in Enum.GetValues<CheckpointType>().Where(type => type != CheckpointType.Other))
            state.Add(StateEntry.FromDoubles($"entry.{type}", [2, 2], [1, 2, 3, 4], type));
        state.Metadata["format"] = "pt";
        using var stream = new MemoryStream();
        state.Save(stream);
        return stream.ToArray();
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
