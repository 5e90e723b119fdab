using System.Globalization;
using System.Text.RegularExpressions;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>The PTX of a kernel, line by line.</summary>
internal sealed partial class PtxListing
{
    /// <summary>The bytes of shared memory that every device grants a group without being asked for more.</summary>
    public const int MostSharedBytes = 48 * 1024;

    private readonly List<string> lines;

    public PtxListing(string text)
    {
        Text = text;
        lines = [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        Body = new PtxSection(lines);
    }

    /// <summary>Gets the whole text.</summary>
    public string Text { get; }

    /// <summary>Gets all instructions.</summary>
    public PtxSection Body { get; }

    /// <summary>Gets the bytes of shared memory that a group takes.</summary>
    public int SharedBytes => SharedDeclaration().Matches(Text)
        .Sum(match => int.Parse(match.Groups["bytes"].Value, CultureInfo.InvariantCulture));

    /// <summary>Gets the loops, from label to last branch back, that hold no other loop.</summary>
    public IReadOnlyList<PtxSection> InnermostLoops()
    {
        var loops = new List<(int First, int Last)>();
        for (int first = 0; first < lines.Count; first++)
        {
            if (!lines[first].EndsWith(':'))
                continue;
            string label = lines[first][..^1];
            int last = lines.FindLastIndex(line => Branch().Match(line).Groups["target"].Value == label);
            if (last > first)
                loops.Add((first, last));
        }
        return
        [
            .. loops
                .Where(loop => !loops.Exists(other => other.First > loop.First && other.Last <= loop.Last))
                .Select(loop => new PtxSection(lines.GetRange(loop.First, loop.Last - loop.First + 1))),
        ];
    }

    /// <summary>
    /// Gets the accesses to global memory whose address is not a base plus a 64-bit index times the element's size.
    /// </summary>
    public IEnumerable<string> NarrowGlobalAccesses()
    {
        for (int at = 0; at < lines.Count; at++)
        {
            var access = GlobalAccess().Match(lines[at]);
            if (!access.Success)
                continue;
            string address = access.Groups["address"].Value;
            int definition = lines.FindLastIndex(
                at, line => Definition().Match(line).Groups["register"].Value == address);
            if (!lines[definition].StartsWith("mad.lo.u64", StringComparison.Ordinal))
                yield return lines[at];
        }
    }

    [GeneratedRegex(@"\.shared\b.*\[(?<bytes>\d+)\];")]
    private static partial Regex SharedDeclaration();

    [GeneratedRegex(@"\bbra(\.uni)?\s+(?<target>\w+);")]
    private static partial Regex Branch();

    [GeneratedRegex(@"\b(ld|st)\.global\..*\[(?<address>%rd\d+)(\+\d+)?\]")]
    private static partial Regex GlobalAccess();

    [GeneratedRegex(@"^[a-z][\w.]*\s+(?<register>%rd\d+),")]
    private static partial Regex Definition();
}
