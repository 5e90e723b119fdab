using System.Text.RegularExpressions;
using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;
using SapaGpu.Devices;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>What an OpenCL driver is given: the source of every kernel, generated without driver or device.</summary>
public sealed partial class OpenCLTests
{
    [Test]
    public void Single_precision_needs_no_double() =>
        AssertNone(Double(), kernel => !kernel.IsDouble);

    [Test]
    public void No_kernel_has_private_arrays() => AssertNone(PrivateArray());

    [Test]
    public void No_kernel_has_generic_pointers() => AssertNone(GenericPointer());

    [Test]
    public void No_kernel_but_those_that_make_lists_uses_atomics() =>
        AssertNone(Atomic(), kernel => !kernel.CountsByAtomics);

    [Test]
    public void Kernels_that_share_memory_have_barriers()
    {
        var sharing = GeneratedCode.OpenCL.Where(pair => SharedArray().IsMatch(pair.Value)).ToArray();
        Assert.That(sharing, Is.Not.Empty);
        Assert.That(sharing.Where(pair => !Barrier().IsMatch(pair.Value)).Select(pair => pair.Key), Is.Empty);
    }

    [Test]
    public void Every_barrier_orders_shared_memory()
    {
        foreach (var (kernel, source) in GeneratedCode.OpenCL)
            Assert.That(LocalBarrier().Count(source), Is.EqualTo(Barrier().Count(source)), $"{kernel}");
    }

    [Test]
    public void Kernels_that_rely_on_rounded_products_ask_for_them() => AssertNone(
        source => !source.StartsWith("#pragma OPENCL FP_CONTRACT OFF\n", StringComparison.Ordinal),
        kernel => KernelCode.RoundsProducts(kernel.Kernel));

    private static void AssertNone(Regex wrong, Func<KernelInstantiation, bool>? isMeant = null) =>
        AssertNone(wrong.IsMatch, isMeant);

    private static void AssertNone(Func<string, bool> isWrong, Func<KernelInstantiation, bool>? isMeant = null)
    {
        var meant = GeneratedCode.OpenCL.Where(pair => isMeant is null || isMeant(pair.Key)).ToArray();
        Assert.That(meant, Is.Not.Empty);
        Assert.That(meant.Where(pair => isWrong(pair.Value)).Select(pair => pair.Key), Is.Empty);
    }

    [GeneratedRegex(@"\bdouble\b")]
    private static partial Regex Double();

    [GeneratedRegex(@"^\s*(?!local\b)(?!char __padding)(struct )?\w+ \w+\[\d+\];", RegexOptions.Multiline)]
    private static partial Regex PrivateArray();

    [GeneratedRegex(@"\bgeneric\b|^\s*(typedef\s+)?(struct\s+)?\w+\s*\*\s*\w+;", RegexOptions.Multiline)]
    private static partial Regex GenericPointer();

    [GeneratedRegex(@"\batom(ic)?_\w+")]
    private static partial Regex Atomic();

    [GeneratedRegex(@"^\s*local (struct )?\w+ \w+\[\d+\];", RegexOptions.Multiline)]
    private static partial Regex SharedArray();

    [GeneratedRegex(@"\bwork_group_barrier\b")]
    private static partial Regex Barrier();

    [GeneratedRegex(@"\bwork_group_barrier\s*\([^)]*\bCLK_LOCAL_MEM_FENCE\b")]
    private static partial Regex LocalBarrier();
}
