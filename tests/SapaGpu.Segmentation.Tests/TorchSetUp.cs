using NUnit.Framework;
using SapaGpu.Shared;

namespace SapaGpu.Segmentation.Tests;

/// <summary>Makes libtorch loadable before any test touches it.</summary>
[SetUpFixture]
internal sealed class TorchSetUp
{
    [OneTimeSetUp]
    public void Load() => TorchLibrary.AllowOlderRuntime();
}
