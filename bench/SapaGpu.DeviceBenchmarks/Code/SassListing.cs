using System.Text.RegularExpressions;

namespace SapaGpu.DeviceBenchmarks.Code;

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
        InstructionCount = operations.Count;
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

    /// <summary>Gets the number of all instructions.</summary>
    public int InstructionCount { get; }

    /// <summary>Gets the loops.</summary>
    public IReadOnlyList<SassLoop> Loops { get; }

    [GeneratedRegex(@"^(?<name>\.L_[\w.]+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"^\s+/\*[0-9a-f]{4,}\*/\s+(@!?U?P\w+\s+)?(?<operation>[A-Z][\w.]*)")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"`\((?<name>\.L_[\w.]+)\)")]
    private static partial Regex Target();
}
