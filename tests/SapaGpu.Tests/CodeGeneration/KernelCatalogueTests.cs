using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>That the other tests of this folder see every kernel.</summary>
public sealed class KernelCatalogueTests
{
    [Test]
    public void Every_thread_group_program_is_in_the_library_s_tables()
    {
        var dispatched = KernelCatalogue.All.Select(kernel => kernel.Definition);
        Assert.That(dispatched.Distinct(), Is.EquivalentTo(KernelCatalogue.Programs));
    }

    [Test]
    public void Every_kernel_has_a_name_of_its_own() =>
        Assert.That(KernelCatalogue.All.Select(kernel => kernel.ToString()), Is.Unique);
}
