using System.Text.RegularExpressions;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>A loop of machine code, from the target of a branch back to the branch.</summary>
/// <param name="Operations">The operations, such as <c>FFMA</c> or <c>LDS.128</c>, those of loops within it too.</param>
/// <param name="IsInnermost">Whether it holds no other loop.</param>
internal sealed record SassLoop(IReadOnlyList<string> Operations, bool IsInnermost)
{
    /// <summary>Gets the number of multiply-adds.</summary>
    public int MultiplyAdds => Operations.Count(operation => operation is "FFMA");

    /// <summary>Gets the share of multiply-adds in all instructions.</summary>
    public double Share => (double)MultiplyAdds / Operations.Count;

    /// <summary>Gets whether global or shared memory is read or written.</summary>
    public bool AccessesMemory => Operations.Any(operation =>
        operation.StartsWith("LD", StringComparison.Ordinal) && !operation.StartsWith("LDC", StringComparison.Ordinal)
        || operation.StartsWith("ST", StringComparison.Ordinal));

    /// <summary>Gets whether something is divided, or a function called that does.</summary>
    public bool Divides => Operations.Any(operation =>
        operation.StartsWith("MUFU.RCP", StringComparison.Ordinal)
        || operation.StartsWith("I2F", StringComparison.Ordinal)
        || operation.StartsWith("CALL", StringComparison.Ordinal));
}

/// <summary>What NVIDIA's disassembler prints of a kernel.</summary>
internal sealed partial class SassListing
{
    public SassListing(string text)
    {
        var operations = new List<string>();
        var labels = new Dictionary<string, int>();
        var branches = new List<(int At, string Target)>();
        foreach (string line in text.Split('\n'))
        {
            var label = Label().Match(line);
            if (label.Success)
            {
                labels[label.Groups["name"].Value] = operations.Count;
                continue;
            }
            var instruction = Instruction().Match(line);
            if (!instruction.Success)
                continue;
            string operation = instruction.Groups["operation"].Value;
            if (operation == "BRA" && Target().Match(line) is { Success: true } target)
                branches.Add((operations.Count, target.Groups["name"].Value));
            operations.Add(operation);
        }
        (int First, int Last)[] loops =
        [
            .. from branch in branches
               let first = labels.GetValueOrDefault(branch.Target, int.MaxValue)
               where first < branch.At
               select (first, branch.At),
        ];
        Loops =
        [
            .. loops.Select(loop => new SassLoop(
                operations[loop.First..(loop.Last + 1)],
                !loops.Any(other => other != loop && loop.First <= other.First && other.Last <= loop.Last))),
        ];
    }

    /// <summary>Gets the loops.</summary>
    public IReadOnlyList<SassLoop> Loops { get; }

    [GeneratedRegex(@"^(?<name>\.L_[\w.]+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"^\s+/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+\s+)?(?<operation>[A-Z][\w.]*)")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"`\((?<name>\.L_[\w.]+)\)")]
    private static partial Regex Target();
}
