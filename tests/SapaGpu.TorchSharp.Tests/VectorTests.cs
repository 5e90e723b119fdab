using NUnit.Framework;
using SapaGpu.Workloads.Vectors;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>Test vectors through the functions and modules of torch, outputs and gradients by autograd.</summary>
[TestFixture]
public sealed class VectorTests
{
    private static readonly ElementType[] ElementTypes =
        [ElementType.Float64, ElementType.Float32, ElementType.Float16, ElementType.BFloat16];

    [Test]
    public void Shipped_vectors_pass([ValueSource(nameof(ElementTypes))] ElementType elementType) =>
        Check(Path.Combine(AppContext.BaseDirectory, "vectors"), elementType);

    [Test]
    public void Golden_vectors_pass([ValueSource(nameof(ElementTypes))] ElementType elementType) =>
        Check(Golden("golden"), elementType);

    [Test]
    public void Golden_vectors_of_cross_attention_pass([ValueSource(nameof(ElementTypes))] ElementType elementType) =>
        Check(Golden("golden-cross"), elementType, only: ["cross_attention"]);

    [Test]
    public void Golden_vectors_of_upsamplers_with_an_image_pass([ValueSource(nameof(ElementTypes))] ElementType elementType) =>
        Check(Golden("golden-cross"), elementType, only: ["naf", "anyup"]);

    private static string Golden(string name)
    {
        string? data = Environment.GetEnvironmentVariable("SAPAGPU_DATA");
        string folder = Path.Combine(data ?? string.Empty, name);
        if (data is null || !Directory.Exists(folder))
            Assert.Ignore("SAPAGPU_DATA names no folder with golden vectors.");
        return folder;
    }

    private static void Check(string folder, ElementType elementType, string[]? only = null)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var runner = new TorchVectorRunner(elementType switch
        {
            ElementType.Float64 => torch.float64,
            ElementType.Float16 => torch.float16,
            ElementType.BFloat16 => torch.bfloat16,
            _ => torch.float32,
        });
        CaseResult[] results =
        [
            .. VectorCase.ReadAll(folder)
                .Where(vector => !TorchVectorRunner.LeftOut.Contains(vector.Op) && only?.Contains(vector.Op) != false)
                .Select(vector => VectorSuite.Run(vector, device, elementType, runner)),
        ];
        Assert.That(
            results.Where(result => result.Status != CaseStatus.Passed)
                .Select(r => $"{r.Name}: {r.Reason} {r.Worst?.Tensor} {r.Worst?.Error:e1} of {r.Worst?.Bound:e1}"),
            Is.Empty);
        Assert.That(results, Is.Not.Empty);
    }
}
