using System.Text.RegularExpressions;
using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Tests.Grids;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>
/// What NVIDIA's assembler makes of the fast kernels, for the oldest architecture that the code is generated for and
/// for a newer one. How many groups a multiprocessor holds follows from it.
/// </summary>
public sealed partial class AssemblerTests
{
    private const string Newest = "sm_90";
    private const int OlderTurns = 5;

    // Tiles of queries by threads, and gradients, keep scores and sums there; not tuned yet.
    private const int MostOfTiles = 4096;

    // 40 registers leave room for 48 warps of the 64 that a multiprocessor can hold.
    private static readonly (int Single, int Double) MapRegisters = (40, 48);

    private static readonly Dictionary<string, (int Single, int Double)> Registers = new()
    {
        ["CellPairAttentionForward"] = (128, 0),
        ["CellPairAttentionBackward"] = (128, 0),
        ["CellPairSimilarity"] = (128, 0),
        ["CellPairReassembly"] = (128, 0),
        ["CellQuadGather"] = (128, 0),
        ["CellQuadRowGather"] = (128, 0),
        ["WindowAttentionForward"] = (96, 80),
        ["WindowAttentionBackward"] = (96, 80),
        ["WindowSimilarityForward"] = (96, 56),
        ["WindowReassemblyForward"] = (56, 80),
        ["TransposedReassembly"] = (40, 48),
        ["Projection"] = (80, 160),
        ["ProjectionOuter"] = (80, 160),
        ["LayerNormBackward"] = (48, 56),
        ["Interpolation"] = (40, 48),
        ["InterpolationAdjoint"] = (56, 64),
        ["DeformableReassemblyForward"] = (64, 80),
        ["DeformableSimilarityForward"] = (48, 64),
        ["DeformableGather"] = (48, 64),
        ["WindowWeightsBackward"] = (48, 56),
        ["CrossTileForward"] = (128, 0),
        ["CrossTileQueryGradient"] = (168, 0),
        ["CrossTileCells"] = (168, 0),
        ["CrossMeans"] = (56, 72),
        ["CrossQueries"] = (80, 120),
        ["CrossCells"] = (80, 120),
        ["CrossBias"] = (56, 72),
    };

    private static IEnumerable<string> Operators => KernelCatalogue.Fast.Select(kernel => kernel.Operator).Distinct();

    [Test]
    public void Kernels_fit(
        [Values("sm_80", "sm_90")] string architecture, [ValueSource(nameof(Operators))] string name) =>
        Check(architecture, name);

    // That the tests above can fail.
    [Test]
    public void Spilled_registers_are_found()
    {
        Assembler.Require();
        string ptx = GeneratedCode.Fast.First(pair => pair.Key.Operator == "WindowAttentionForward").Value.Text;
        string limited = EndOfParameters().Replace(ptx, ")\n.maxnreg 24\n{", 1);
        Assert.That(NvidiaAssembler.Assemble(limited, "sm_90").LocalBytes, Is.Positive);
    }

    private static void Check(string architecture, string name)
    {
        Assembler.Require();
        using (Assert.EnterMultipleScope())
        {
            // The assembler does for the older architecture what it does for the newer one: in turns, as what is compiled.
            var kernels = GeneratedCode.Fast
                .Where(pair => pair.Key.Operator == name)
                .Where((pair, i) => architecture == Newest
                    || !GeneratedCode.IsInEveryTurn(pair.Key)
                    || TestPart.Includes(i, OlderTurns));
            foreach (var (kernel, listing) in kernels)
            {
                var assembled = NvidiaAssembler.Assemble(listing.Text, architecture);
                var (single, twice) = kernel.UsesMatrixUnits
                    ? (KernelCode.RegisterLimit(kernel.Kernel), 0)
                    : Registers.GetValueOrDefault(name, MapRegisters);
                Assert.That(
                    assembled.Registers, Is.InRange(1, kernel.IsDouble ? twice : single), $"registers of {kernel}");
                Assert.That(assembled.LocalBytes, Is.LessThanOrEqualTo(LocalBytes(kernel)), $"local memory of {kernel}");
                Assert.That(
                    assembled.SharedBytes,
                    Is.InRange(listing.SharedBytes, PtxListing.MostSharedBytes),
                    $"shared memory of {kernel}");
            }
        }
    }

    // Programs whose registers are limited, so that twice as many groups fit, may keep a few values elsewhere.
    private static int LocalBytes(KernelInstantiation kernel) =>
        !kernel.Definition.IsDefined(typeof(RegisterLimitAttribute), inherit: false) ? 0
        : kernel.Operator.StartsWith("CrossTile", StringComparison.Ordinal) ? MostOfTiles
        : !kernel.UsesMatrixUnits ? 160
        : kernel.Window < 7 ? 16
        : 80;

    [GeneratedRegex(@"\)\s*\{")]
    private static partial Regex EndOfParameters();
}
