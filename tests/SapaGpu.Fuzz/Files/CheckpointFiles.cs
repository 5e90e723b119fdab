using SapaGpu.Tests.Checkpoints;

namespace SapaGpu.Fuzz.Files;

/// <summary>Checkpoints of every format.</summary>
internal static class CheckpointFiles
{
    public static IEnumerable<SoundFile> All()
    {
        yield return new("state.safetensors", SampleCheckpoints.Safetensors(), Load);
        foreach (var container in Enum.GetValues<Container>())
        {
            foreach (int protocol in new[] { 2, 4 })
            {
                var pickle = SampleCheckpoints.Pickle(protocol);
                string name = $"{container}-{protocol}.pth";
                yield return new(name, TorchFile.Build(container, pickle, SampleCheckpoints.Storages), Load);
                yield return new($"pickle-{name}", pickle, Load)
                {
                    Complete = part => TorchFile.Build(container, part, SampleCheckpoints.Storages),
                };
            }
        }
    }

    private static void Load(string path)
    {
        foreach (var entry in StateDict.Load(path).Values)
            _ = entry.Bytes.Span.Length + entry.Shape.Count + entry.ToString().Length;
    }
}
