using NUnit.Framework;
using SapaGpu.Shared;
// Torch and the kernels each use every core.
[assembly: NonParallelizable]

namespace SapaGpu.TorchSharp.Tests;

/// <summary>Makes torch loadable before any test touches it.</summary>
[SetUpFixture]
public sealed class TorchSetup
{
    [OneTimeSetUp]
    public void AllowOlderRuntime() => TorchLibrary.AllowOlderRuntime();
}
