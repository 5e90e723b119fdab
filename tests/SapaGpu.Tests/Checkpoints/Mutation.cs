using System.Diagnostics;
using NUnit.Framework;

namespace SapaGpu.Tests.Checkpoints;

/// <summary>Damages files at random places, the same in every run.</summary>
internal static class Mutation
{
    private const int Seed = 20240501;

    // What views that repeat numbers may take, and room for the rest.
    private const long LargestMemory = 1L << 28;
    private static readonly byte[] Interesting = [0, 1, 0x7f, 0x80, 0xff, .. "(.Rt}"u8];

    /// <summary>Each damaged file is read or refused, in bounded time and memory.</summary>
    public static void AssertHarmless(byte[] file, int count, TimeSpan longest) =>
        AssertHarmless(file, part => part, count, longest);

    /// <summary>The same for files of which one part is damaged and the rest is sound.</summary>
    public static void AssertHarmless(byte[] part, Func<byte[], byte[]> complete, int count, TimeSpan longest)
    {
        var random = new Random(Seed);
        int refused = 0;
        using var folder = new TemporaryFolder();
        for (int i = 0; i < count; i++)
        {
            var damaged = complete(Damage(part, random));
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

    private static byte[] Damage(byte[] file, Random random)
    {
        if (random.Next(8) == 0)
            return file[..random.Next(file.Length)];
        var damaged = (byte[])file.Clone();
        int changes = 1 << random.Next(4);
        for (int i = 0; i < changes; i++)
        {
            int place = random.Next(damaged.Length);
            switch (random.Next(6))
            {
                case 0:
                    damaged[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    damaged[place] = Interesting[random.Next(Interesting.Length)];
                    break;
                case 2:
                    damaged.AsSpan(place, Math.Min(random.Next(1, 9), damaged.Length - place)).Fill(0xff);
                    break;
                case 3:
                    // Bytes of another place: instructions, lengths and names that fit better than random ones.
                    int length = Math.Min(random.Next(1, 33), damaged.Length - place);
                    file.AsSpan(random.Next(file.Length - length), length).CopyTo(damaged.AsSpan(place));
                    break;
                case 4:
                    // Another digit, where there is one: JSON stays JSON.
                    int digit = damaged.AsSpan(place).IndexOfAnyInRange((byte)'0', (byte)'9');
                    if (digit >= 0)
                        damaged[place + digit] = (byte)('0' + random.Next(10));
                    break;
                default:
                    damaged[place] = (byte)random.Next(256);
                    break;
            }
        }
        return damaged;
    }
}
