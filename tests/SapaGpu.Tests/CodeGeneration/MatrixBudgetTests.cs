using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// What the kernels with matrix units issue, as NVIDIA's assembler makes them: half precision and channels side by side,
/// the window and the border of the papers.
/// </summary>
public sealed class MatrixBudgetTests
{
    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, SassListing>> Listings = new(() =>
        GeneratedCode.Fast
            .Where(pair => pair.Key is { UsesMatrixUnits: true, Window: 5, ElementType: "f16" }
                && pair.Key.Border is nameof(BorderRule.ZeroLogit) or "-")
            .ToDictionary(
                pair => pair.Key, pair => NvidiaAssembler.Disassemble(pair.Value.Text, "sm_90").Code));

    // 20 products of 64 channels of queries and keys, with what it stages of them.
    [TestCase("CellPairAttentionForward")]
    [TestCase("CellPairAttentionBackward")]
    [TestCase("CellPairSimilarity")]
    public void Scores_take_few_instructions_a_product(string name) =>
        AssertLoop(name, loop => loop.MatrixProducts == 20 && loop.ReadsMemory, most: 11);

    // Twice 12 products of 32 channels; the loop holds what recomputes them where a value is not finite, which does not run.
    [TestCase("CellPairAttentionForward")]
    [TestCase("CellPairAttentionBackward")]
    [TestCase("CellPairReassembly")]
    public void Sums_take_few_instructions_a_product(string name) =>
        AssertLoop(name, loop => loop.MatrixProducts == 24 && !loop.ReadsMemory, most: 21);

    // 16 products of two rows of cells and 32 channels, with what it stages of them.
    [Test]
    public void Gathers_take_few_instructions_a_product() =>
        AssertLoop("MatrixGather", loop => loop.MatrixProducts == 16 && loop.ReadsMemory, most: 20);

    private static void AssertLoop(string name, Func<SassLoop, bool> isMeant, int most)
    {
        Assembler.RequireDisassembler();
        var kernels = Listings.Value.Where(pair => pair.Key.Operator == name).ToArray();
        Assert.That(kernels, Is.Not.Empty);
        using (Assert.EnterMultipleScope())
        {
            foreach (var (kernel, listing) in kernels)
            {
                int[] lengths = [.. listing.Loops.Where(isMeant).Select(loop => loop.Operations.Count)];
                Assert.That(lengths, Is.Not.Empty, $"{kernel}");
                Assert.That(
                    lengths.DefaultIfEmpty().Min(),
                    Is.LessThanOrEqualTo(most * listing.Loops.Where(isMeant).Max(loop => loop.MatrixProducts)),
                    $"{kernel}");
            }
        }
    }
}
