extern alias Fuzz;

using System.Diagnostics;
using Fuzz::SapaGpu.Fuzz.Files;
using Fuzz::SapaGpu.Fuzz.Running;
using NUnit.Framework;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Damages files at random places, the same in every run.</summary>
internal static class Mutation
{
    private const int Seed = 20240501;

    // What views that repeat numbers may take, and room for the rest.
    private const long LargestMemory = 1L << 28;

    /// <summary>Each damaged file is read or refused, in bounded time and memory.</summary>
    public static void AssertHarmless(byte[] file, int count, TimeSpan longest) =>
        AssertHarmless(file, part => part, count, longest);

    /// <summary>The same for files of which one part is damaged and the rest is sound.</summary>
    public static void AssertHarmless(byte[] part, Func<byte[], byte[]> complete, int count, TimeSpan longest)
    {
        int refused = 0;
        using var folder = new TemporaryFolder();
        for (int i = 0; i < count; i++)
        {
            var damaged = complete(Damage.Of(part, new Draw(Seed, i)));
            long before = GC.GetAllocatedBytesForCurrentThread();
            var watch = Stopwatch.StartNew();
            try
            {
                if (i % 16 == 0)
                {
                    File.WriteAllBytes(folder["damaged"], damaged);
                    Touch(StateDict.Load(folder["damaged"]));
                }
                else
                {
                    Touch(TorchFile.Load(damaged));
                }
            }
            catch (InvalidDataException e)
            {
                refused++;
                Assert.That(e.Message, Does.Not.Contain("\n"));
            }
            catch (Exception e)
            {
                Assert.Fail($"Damaged file {i}: {e}");
            }
            Assert.That(watch.Elapsed, Is.LessThan(longest), $"Damaged file {i}");
            Assert.That(
                GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(LargestMemory), $"Damaged file {i}");
        }
        TestContext.Out.WriteLine($"{refused} of {count} damaged files were refused.");
        Assert.That(refused, Is.GreaterThan(count / 10));
    }

    private static void Touch(StateDict state)
    {
        foreach (var entry in state.Values)
            _ = entry.Bytes.Span.Length + entry.Shape.Count + entry.ToString().Length;
    }
}
