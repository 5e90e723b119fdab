using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// The two loops in which the general fused forward spends its time, in the PTX of the kernels for double precision; those
/// of the others are <see cref="InstructionBudgetTests"/>'.
/// </summary>
public sealed class InnermostLoopTests
{
    private const int MultiplyAddsPerVector = 16;

    private static IEnumerable<KernelInstantiation> FastForwards =>
        KernelCatalogue.Fast.Where(kernel =>
            kernel.Operator == "WindowAttentionForward" && kernel is { Window: 5, Border: nameof(BorderRule.ZeroLogit) });

    [TestCaseSource(nameof(FastForwards))]
    public void A_step_of_the_scores_reads_four_queries_and_a_key(KernelInstantiation kernel) =>
        AssertHasLoop(kernel, globalVectors: 5, sharedVectors: 0, MultiplyAddsPerVector);

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
