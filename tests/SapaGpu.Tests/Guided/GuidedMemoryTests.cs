using System.Globalization;
using NUnit.Framework;

namespace SapaGpu.Tests.Guided;

/// <summary>The memory of a large photo. Nothing else may run beside it, for it is that of the process.</summary>
[TestFixture]
[NonParallelizable]
[Platform("Linux")]
internal sealed class GuidedMemoryTests
{
    private const long Bound = 200L << 20;

    // A ratio that is taken in two steps.
    [Test]
    public void Memory_is_bounded_for_a_photo_of_twelve_megapixels()
    {
        byte[] photo = new byte[3000 * 4000 * 3];
        new Random(1).NextBytes(photo);
        float[] small = new float[64 * 64];
        for (int i = 0; i < small.Length; i++)
            small[i] = i % 7;
        byte[] result = new byte[3000 * 4000];
        result.AsSpan().Fill(1);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5");
        long before = PeakBytes();
        GuidedUpsampler.Upsample(
            new PhotoSpan(photo, 3000, 4000), new MapSpan<float>(small, 64, 64), result.AsSpan(), new() { Kind = MapKind.Mask });
        long taken = PeakBytes() - before;
        TestContext.Out.WriteLine($"{taken >> 20} MiB beside operands and result");
        Assert.That(taken, Is.LessThan(Bound));
    }

    private static long PeakBytes() => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) << 10;
}
