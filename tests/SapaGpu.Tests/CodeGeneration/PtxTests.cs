using NUnit.Framework;
using SapaGpu.DeviceBenchmarks.Code;
using SapaGpu.Devices;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>What a GPU of NVIDIA is given: the PTX of every kernel, generated without driver or device.</summary>
[TestFixture("8.0")]
[TestFixture("9.0")]
public sealed class PtxTests(string computeCapability)
{
    // What inline assembly returns passes through local memory, which the assembler removes; AssemblerTests see to it.
    [Test]
    public void No_kernel_spills_to_local_memory() => AssertNone(
        listing => listing.Text.Contains(".local", StringComparison.Ordinal),
        kernel => !kernel.UsesInlineAssembly);

    [Test]
    public void No_kernel_but_those_that_make_lists_uses_atomics() => AssertNone(
        listing => listing.Body.Has("atom.", "red."), kernel => !kernel.CountsByAtomics);

    [Test]
    public void No_kernel_calls_functions() => AssertNone(listing => listing.Body.Has("call"));

    // The driver's assembler joins products and sums that do not say how they are rounded.
    [Test]
    public void Kernels_that_rely_on_rounded_products_name_the_rounding() => AssertNone(
        listing => listing.Body.Has("mul.f", "fma.") || !listing.Body.Has("mul.rn.f"),
        kernel => KernelCode.RoundsProducts(kernel.Kernel));

    [Test]
    public void Every_access_names_its_address_space() =>
        AssertNone(listing => listing.Body.HasGenericAccess());

    [Test]
    public void Shared_memory_fits_every_device() =>
        AssertNone(listing => listing.SharedBytes > PtxListing.MostSharedBytes);

    // The small vectors of a projection's parameters are indexed by channel; everything else can pass 2³¹ elements.
    [Test]
    public void Feature_maps_are_addressed_by_64_bit_indices() =>
        AssertNone(
            listing => listing.NarrowGlobalAccesses().Any() || !listing.Body.Has("mul.lo.s64"),
            kernel => kernel.Operator.StartsWith("Window", StringComparison.Ordinal)
                || kernel.Operator.StartsWith("Transposed", StringComparison.Ordinal));

    // Means of groups are of sums in single precision, and padding moves values as they are.
    [Test]
    public void Half_precision_is_converted_by_the_hardware() => AssertNone(
        listing => !listing.Body.Has("cvt.f32.f16"),
        kernel => kernel is { ElementType: "f16", IsFast: true, UsesMatrixUnits: false }
            && !kernel.Operator.StartsWith("Group", StringComparison.Ordinal)
            && kernel.Operator != "MirrorPaddingForward");

    [Test]
    public void Matrix_units_multiply_sixteen_bits() => AssertNone(
        listing => !listing.Body.Has("mma.sync.aligned.m16n8k16"), kernel => kernel.UsesMatrixUnits);

    [Test]
    public void Vector_access_reads_four_channels_at_once() =>
        AssertNone(
            (kernel, listing) => !listing.Body.Has($"ld.global.{FeatureVector(kernel)}"),
            kernel => kernel.ByVectors);

    [Test]
    public void Vector_access_writes_four_channels_at_once() =>
        AssertNone(
            (kernel, listing) => !listing.Body.Has($"st.global.{FeatureVector(kernel)}"),
            kernel => kernel.ByVectors && !kernel.UsesMatrixUnits && kernel.Operator is not (
                "WindowSimilarityForward" or "CellPairSimilarity" or "DeformableSimilarityForward" or "ProjectionOuter"
                or "CrossStatistics" or "CrossMeans" or "CrossBias"));

    [Test]
    public void Weights_of_a_quad_are_read_from_shared_memory_128_bits_at_once() =>
        AssertNone(
            (kernel, listing) => !listing.Body.Has($"ld.shared.{Vector(kernel)}"),
            kernel => kernel.Operator is "WindowAttentionForward" or "WindowAttentionBackward"
                or "WindowReassemblyForward" or "CellPairAttentionForward" or "CellPairAttentionBackward"
                or "CellPairReassembly" or "CellQuadGather" && !kernel.UsesMatrixUnits);

    // Weights in shared memory are of the accumulator's type; features of 16 bits are four at a time as well.
    private static string Vector(KernelInstantiation kernel) => kernel.IsDouble ? "v2.f64" : "v4.f32";

    private static string FeatureVector(KernelInstantiation kernel) => kernel.IsNarrow ? "v4." : Vector(kernel);

    private void AssertNone(Func<PtxListing, bool> isWrong, Func<KernelInstantiation, bool>? isMeant = null) =>
        AssertNone((_, listing) => isWrong(listing), isMeant);

    private void AssertNone(
        Func<KernelInstantiation, PtxListing, bool> isWrong, Func<KernelInstantiation, bool>? isMeant = null)
    {
        var generated = computeCapability == "8.0" ? GeneratedCode.Ampere : GeneratedCode.Hopper;
        var meant = generated.Where(pair => isMeant is null || isMeant(pair.Key)).ToArray();
        Assert.That(meant, Is.Not.Empty);
        Assert.That(meant.Where(pair => isWrong(pair.Key, pair.Value)).Select(pair => pair.Key), Is.Empty);
    }
}
