using NUnit.Framework;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>The package calls operators; it reaches past the library as little as the command line tool does.</summary>
[TestFixture]
public sealed class ArchitectureTests
{
    [Test]
    public void The_package_does_not_reach_past_the_library() => Assert.That(
        typeof(SapaFunctional).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name),
        Has.None.EqualTo("ILGPU").And.None.EqualTo("SapaGpu.Kernels"));
}
