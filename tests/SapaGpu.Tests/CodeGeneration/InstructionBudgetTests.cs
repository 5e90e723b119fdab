using ILGPU.Runtime.Cuda;
using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// What the loops of the window kernels issue, as NVIDIA's assembler makes them: their time is that of their multiply-adds
/// as far as these fill them. Both memory formats, the window and the border of the papers, single precision and in turns half
/// precision: kernels for bfloat16 differ in conversions only.
/// </summary>
public sealed class InstructionBudgetTests
{
    private const int SmallestLoop = 64;
    private const int HalfTurns = 3;

    // The share of multiply-adds in the loop that adds up a row of the windows, which does most of them.
    private static readonly Dictionary<string, double> SharesOfSums = new()
    {
        ["CellPairAttentionForward"] = 0.90,
        ["CellPairAttentionBackward"] = 0.90,
        ["CellPairReassembly"] = 0.90,
        ["CellQuadGather"] = 0.60,
        ["CellQuadRowGather"] = 0.42,
    };

    // 16-bit values are converted in the loop of the gathers, in that of the others before.
    private const double ShareOfNarrowGathers = 0.36;

    // The share in the loop over the channels of queries and keys, with what it stages of them.
    private static readonly Dictionary<string, double> SharesOfScores = new()
    {
        ["CellPairAttentionForward"] = 0.53,
        ["CellPairAttentionBackward"] = 0.45,
        ["CellPairSimilarity"] = 0.53,
    };

    private static readonly Lazy<IReadOnlyDictionary<KernelInstantiation, SassListing>> Listings =
        new(() => Disassemble());

    private static IEnumerable<KernelInstantiation> Kernels => Inspected.Where((kernel, i) =>
        kernel.ElementType == "f32" || TestPart.Includes(i, HalfTurns));

    private static IEnumerable<KernelInstantiation> Inspected => KernelCatalogue.All.Where(kernel =>
        kernel.Operator.StartsWith("Cell", StringComparison.Ordinal)
        && !kernel.UsesMatrixUnits
        && kernel.Window == 5
        && kernel.ElementType is "f32" or "f16"
        && kernel.Ratio is "2" or "-"
        && kernel.Border is nameof(BorderRule.ZeroLogit) or "-"
        && kernel.Normalisation is nameof(ScoreNormalisation.Softmax) or "-"
        && !kernel.IsMixed
        && !kernel.HasNativeCounterpart);

    [TestCaseSource(nameof(SharesOfSums))]
    public void Sums_are_mostly_multiply_adds(KeyValuePair<string, double> limit)
    {
        var kernels = Of(limit.Key);
        using (Assert.EnterMultipleScope())
        {
            foreach (var (kernel, listing) in kernels)
            {
                double share = listing.Loops
                    .Where(loop => loop.IsInnermost && loop.MultiplyAdds > SmallestLoop)
                    .Max(loop => loop.Share);
                bool converts = kernel.IsNarrow && kernel.Operator.Contains("Gather", StringComparison.Ordinal);
                Assert.That(
                    share, Is.GreaterThanOrEqualTo(converts ? ShareOfNarrowGathers : limit.Value), $"{kernel}");
            }
        }
    }

    [TestCaseSource(nameof(SharesOfScores))]
    public void Scores_are_mostly_multiply_adds(KeyValuePair<string, double> limit)
    {
        var kernels = Of(limit.Key).Where(pair => pair.Key.ElementType == "f32");
        using (Assert.EnterMultipleScope())
        {
            foreach (var (kernel, listing) in kernels)
            {
                // It reads what it stages; the loop over query packs around it has more products.
                double share = listing.Loops
                    .Where(loop => loop.MultiplyAdds is > SmallestLoop and <= 4 * 160 + 8 && loop.ReadsMemory)
                    .Max(loop => loop.Share);
                Assert.That(share, Is.GreaterThanOrEqualTo(limit.Value), $"{kernel}");
            }
        }
    }

    // The logarithm of a sum divides, twice for each query; what reads or writes does not.
    [Test]
    public void No_loop_that_accesses_memory_divides()
    {
        var kernels = All();
        using (Assert.EnterMultipleScope())
        {
            foreach (var (kernel, listing) in kernels)
            {
                var loops = listing.Loops.Where(loop => loop.IsInnermost && loop.AccessesMemory);
                Assert.That(loops, Is.Not.Empty, $"{kernel}");
                Assert.That(loops.Where(loop => loop.Divides), Is.Empty, $"{kernel}");
            }
        }
    }

    // Most are generated already.
    private static Dictionary<KernelInstantiation, SassListing> Disassemble()
    {
        var known = GeneratedCode.Fast;
        var others = KernelCompiler.CompileAll(
            Kernels.Where(kernel => !known.ContainsKey(kernel)),
            () => KernelCompiler.ForPtx(CudaArchitecture.SM_80),
            text => text);
        return Kernels.AsParallel().ToDictionary(
            kernel => kernel,
            kernel => NvidiaAssembler.Disassemble(
                known.TryGetValue(kernel, out var listing) ? listing.Text : others[kernel], "sm_90").Code);
    }

    private static IReadOnlyDictionary<KernelInstantiation, SassListing> All()
    {
        Assembler.RequireDisassembler();
        return Listings.Value;
    }

    private static KeyValuePair<KernelInstantiation, SassListing>[] Of(string name)
    {
        KeyValuePair<KernelInstantiation, SassListing>[] found = [.. All().Where(pair => pair.Key.Operator == name)];
        Assert.That(found, Is.Not.Empty);
        return found;
    }
}
