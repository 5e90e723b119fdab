using NUnit.Framework;
using SapaGpu.Workloads.Vectors;

namespace SapaGpu.Tests.Vectors;

/// <summary>
/// A few vectors on ILGPU's emulation of a GPU, which shows thread-group programs to a debugger of .NET. A CUDA device
/// runs the same programs much faster; all other tests run on the emulator where <see cref="Grids.TestPart"/> is the
/// whole. They run alone: 128 threads meet at every barrier, which takes up to nine times as long beside other work.
/// </summary>
[TestFixture]
[NonParallelizable]
public sealed class EmulatorTests
{
    [Test]
    public void Shipped_vector_passes(
        [Values(
            "attention_k5_s2_masked",
            "carafe_groups",
            "deform_attention_small",
            "interpolate_bilinear",
            "sapa_gn_small")]
        string name)
    {
        var vector = VectorCase.Read(Path.Combine(AppContext.BaseDirectory, "vectors", name));
        var result = VectorSuite.Run(vector, TestDevices.Open("emulator"), ElementType.Float32);
        Assert.That(result.Status, Is.EqualTo(CaseStatus.Passed), $"{result.Reason} {result.Worst}");
    }
}
