using NUnit.Framework;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Files of every format that are damaged at random are read or refused, and do no harm.</summary>
[TestFixture]
[NonParallelizable]
public sealed class MutationTests
{
    private const int Mutations = 4000;
    private static readonly TimeSpan LongestLoad = TimeSpan.FromSeconds(10);

    [Test]
    public void Damaged_checkpoints_of_PyTorch_do_no_harm([Values] Container container, [Values(2, 4)] int protocol)
    {
        var file = TorchFile.Build(container, SampleCheckpoints.Pickle(protocol), SampleCheckpoints.Storages);
        Assert.That(TorchFile.Load(file), Has.Count.EqualTo(3));
        Mutation.AssertHarmless(file, Mutations, LongestLoad);
    }

    [Test]
    public void Damaged_pickles_in_a_sound_file_do_no_harm([Values] Container container, [Values(2, 4)] int protocol) =>
        Mutation.AssertHarmless(
            SampleCheckpoints.Pickle(protocol), pickle => TorchFile.Build(container, pickle, SampleCheckpoints.Storages), Mutations, LongestLoad);

    [Test]
    public void Damaged_safetensors_do_no_harm() =>
        Mutation.AssertHarmless(SampleCheckpoints.Safetensors(), Mutations, LongestLoad);
}
