using NUnit.Framework;

namespace SapaGpu.Tests.Guided;

/// <summary>Tests of <c>sapagpu upsample</c>, each with a folder of its own.</summary>
internal abstract class UpsampleFixture
{
    /// <summary>The runs of a test, and their folder.</summary>
    protected UpsampleRuns Runs { get; private set; } = null!;

    [SetUp]
    public void MakeFolder() => Runs = new UpsampleRuns();

    [TearDown]
    public void RemoveFolder() => Runs.Dispose();
}
