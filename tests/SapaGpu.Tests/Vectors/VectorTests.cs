using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Workloads.Vectors;

namespace SapaGpu.Tests.Vectors;

/// <summary>
/// Test vectors on every device: the small ones that the project ships, and a larger collection where the environment
/// variable SAPAGPU_DATA names a folder that has them under "golden" and "golden-cross".
/// </summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed class VectorTests
{
    // The golden vectors on CUDA, in single precision and in types that differ in reading and writing only.
    private const int SingleTurns = 4;
    private const int OtherTurns = 17;
    private const int OpenCLTurns = 2 * DeviceGridAttribute.OpenCLTurns;

    // Modules of cross-resolution attention have dozens of kernels.
    private const int CrossParts = 3;

    [Test]
    public void Shipped_vectors_pass(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device, [Values] ElementType elementType)
    {
        var results = Run(Path.Combine(AppContext.BaseDirectory, "vectors"), device, elementType, parts: 0);
        Assert.That(results, Has.Count.EqualTo(OfThisRun(VectorWriter.Cases, device, elementType, 0).Count()).And.Not.Empty);
        Assert.That(results.Select(r => r.Status), Is.All.EqualTo(CaseStatus.Passed), Describe(results));
    }

    [Test]
    public void Golden_vectors_pass(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.Fast))] string device,
        [Values(ElementType.Float32, ElementType.Float64)] ElementType elementType,
        [Values("golden", "golden-cross")] string collection) => CheckGolden(device, elementType, collection);

    [Test]
    public void Golden_vectors_pass_in_16_bits(
        [Values("cpu", "cuda")] string device,
        [Values(ElementType.Float16, ElementType.BFloat16)] ElementType elementType,
        [Values("golden", "golden-cross")] string collection) => CheckGolden(device, elementType, collection);

    [Test]
    public void A_wrong_expectation_is_found()
    {
        using var folder = new TemporaryFolder();
        VectorWriter.WriteAll(folder.Path, corruptOutputs: true);
        var results = Run(folder.Path, "cpu", ElementType.Float64, parts: 0);
        Assert.That(results.Select(r => r.Status), Is.All.EqualTo(CaseStatus.Failed));
        Assert.That(results.Select(r => r.Worst!.Tensor), Is.All.EqualTo("out"));
    }

    private static void CheckGolden(string device, ElementType elementType, string collection)
    {
        string? data = Environment.GetEnvironmentVariable("SAPAGPU_DATA");
        string folder = Path.Combine(data ?? string.Empty, collection);
        if (data is null || !Directory.Exists(folder))
            Assert.Ignore("SAPAGPU_DATA names no folder with golden vectors.");
        var results = Run(folder, device, elementType, collection == "golden" ? 1 : CrossParts);
        TestContext.Out.WriteLine(Describe(results));
        Assert.That(
            results.Select(r => r.Status), Is.Not.Empty.And.All.EqualTo(CaseStatus.Passed), Describe(results));
    }

    private static List<CaseResult> Run(string folder, string device, ElementType elementType, int parts)
    {
        var opened = TestDevices.Open(device);
        return
        [
            .. OfThisRun([.. VectorCase.ReadAll(folder).Where(IsKnown)], device, elementType, parts).Select(
                vector => VectorSuite.Run(vector, opened, elementType)),
        ];
    }

    // A kernel takes a second to compile, and most vectors need one of their own; those of other types than single precision
    // are the same program, or are tested by fixtures of their own. The shipped vectors have 0 parts.
    private static IEnumerable<T> OfThisRun<T>(
        IReadOnlyCollection<T> cases, string device, ElementType elementType, int parts)
    {
        int turns = device switch
        {
            "opencl" => Math.Max(1, parts) * OpenCLTurns,
            "cuda" when elementType != ElementType.Float32 => Math.Max(1, parts) * OtherTurns,
            "cuda" when parts > 0 => parts * SingleTurns,
            _ => 1,
        };

        // One case at least.
        return TestPart.Of(cases, Math.Min(turns, cases.Count));
    }

    // A collection may have operators that come later.
    private static bool IsKnown(VectorCase vector) => VectorOperators.Layouts.ContainsKey(vector.Op);

    private static string Describe(IEnumerable<CaseResult> results) => string.Join(
        Environment.NewLine,
        results.Select(
            r => $"{r.Name}: {r.Status} {r.Reason} {r.Worst?.Tensor} {r.Worst?.Error:e1} of {r.Worst?.Bound:e1}"));
}
