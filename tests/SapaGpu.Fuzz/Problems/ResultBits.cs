using System.Runtime.InteropServices;
using System.Security.Cryptography;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>Results to the last bit.</summary>
internal static class ResultBits
{
    public static string Hash(IReadOnlyList<Result> results)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var result in results)
            hash.AppendData(MemoryMarshal.AsBytes(result.Values.AsSpan()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>Fails where a bit differs in the images from a first one on.</summary>
    public static void RequireSame(
        IReadOnlyList<Result> actual, IReadOnlyList<Result> expected, string what, int firstImage)
    {
        if (Difference(actual, expected, firstImage) is { } difference)
            throw new FuzzFailureException($"{difference} {what}.");
    }

    /// <summary>What differs, in words; null if nothing does.</summary>
    public static string? Difference(IReadOnlyList<Result> actual, IReadOnlyList<Result> expected, int firstImage = 0)
    {
        if (actual.Count != expected.Count)
            return $"There are {actual.Count} results, and were {expected.Count},";
        foreach (var (now, before) in actual.Zip(expected))
        {
            int first = firstImage * (before.Values.Length / before.Shape.Batch);
            for (int i = first; i < before.Values.Length; i++)
            {
                if (BitConverter.DoubleToInt64Bits(now.Values[i]) != BitConverter.DoubleToInt64Bits(before.Values[i]))
                    return $"Element {i} of '{before.Name}' is {now.Values[i]:r}, and was {before.Values[i]:r},";
            }
        }
        return null;
    }
}
