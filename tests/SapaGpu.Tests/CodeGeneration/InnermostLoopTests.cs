using System.Globalization;
using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>The two loops in which the fused forward spends its time, in the PTX of the fast kernels.</summary>
public sealed class InnermostLoopTests
{
    private const int MultiplyAddsPerVector = 16;

    private static IEnumerable<KernelInstantiation> FastForwards =>
        KernelCatalogue.Fast.Where(kernel => kernel.Operator == "WindowAttentionForward");

    // The sums of double precision find no room in shared memory, so that a thread works on one tap at a time.
    [TestCaseSource(nameof(FastForwards))]
    public void A_step_of_the_scores_reads_four_queries_and_the_keys_of_a_row(KernelInstantiation kernel)
    {
        int keys = kernel.IsDouble ? 1 : kernel.Window;
        AssertHasLoop(kernel, globalVectors: 4 + keys, sharedVectors: 0, multiplyAdds: keys * MultiplyAddsPerVector);
    }

    [TestCaseSource(nameof(FastForwards))]
    public void A_step_of_the_sums_reads_a_value_and_four_weights(KernelInstantiation kernel) =>
        AssertHasLoop(kernel, globalVectors: 1, sharedVectors: 1, MultiplyAddsPerVector);

    // The code generator moves a calculation that a loop does not change into the loop, next to its use; a position has
    // to be carried from step to step to stay outside. Multiplying out four queries takes longer than comparing them.
    [TestCaseSource(nameof(FastForwards))]
    public void Steps_do_not_multiply_out_addresses(KernelInstantiation kernel)
    {
        var steps = GeneratedCode.Fast[kernel].InnermostLoops().Where(loop => loop.Has("ld.global.v"));
        Assert.That(steps.Where(loop => loop.Has("mul.lo.", "mul.wide.s", "div.s", "rem.s")), Is.Empty);
    }

    [Test]
    public void Table_of_the_innermost_loops()
    {
        const string Format = "{0,-24} {1,-6} {2,12} {3,8} {4,8} {5,8} {6,8} {7,8} {8,8}";
        TestContext.Out.WriteLine(
            Format, "kernel", "type", "instructions", "multiply", "add", "integer", "global", "shared", "moves");
        var rows =
            from kernel in KernelCatalogue.Fast
            where !kernel.IsMap
            from loop in GeneratedCode.Fast[kernel].InnermostLoops()
            where loop.Multiplications > 0 && loop.Has("ld.")
            select string.Format(
                CultureInfo.InvariantCulture,
                Format,
                kernel.Operator,
                kernel.IsDouble ? "double" : "float",
                loop.Operations.Count,
                loop.Multiplications,
                loop.Additions,
                loop.IntegerOperations,
                loop.Count("ld.global"),
                loop.Count("ld.shared"),
                loop.Count("mov"));
        string[] distinct = [.. rows.Distinct()];
        Assert.That(distinct, Is.Not.Empty);
        foreach (string row in distinct)
            TestContext.Out.WriteLine(row);
    }

    // A pack of four doubles is two vectors of 128 bits.
    private static void AssertHasLoop(
        KernelInstantiation kernel, int globalVectors, int sharedVectors, int multiplyAdds)
    {
        int vectorsPerPack = kernel.IsDouble ? 2 : 1;
        var steps = GeneratedCode.Fast[kernel].InnermostLoops().Where(loop =>
            loop.Multiplications == multiplyAdds
            && loop.Additions == multiplyAdds
            && loop.Count("ld.global") == loop.Count("ld.global.v")
            && loop.Count("ld.shared") == loop.Count("ld.shared.v")
            && loop.Count("ld.global.v") == globalVectors * vectorsPerPack
            && loop.Count("ld.shared.v") == sharedVectors * vectorsPerPack);
        Assert.That(steps, Is.Not.Empty);
    }
}
