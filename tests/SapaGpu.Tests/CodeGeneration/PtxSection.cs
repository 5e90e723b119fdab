using System.Text.RegularExpressions;

namespace SapaGpu.Tests.CodeGeneration;

/// <summary>A run of PTX lines.</summary>
internal sealed partial class PtxSection(IEnumerable<string> lines)
{
    /// <summary>Gets the operations in their order, such as <c>ld.global.v4.f32</c>.</summary>
    public IReadOnlyList<string> Operations { get; } =
    [
        .. lines
            .Select(line => Operation().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups["name"].Value),
    ];

    /// <summary>Gets the number of floating-point multiplications.</summary>
    public int Multiplications => Count("mul.f", "mul.rn.f", "fma.", "mad.f");

    /// <summary>Gets the number of floating-point additions, which the driver fuses with multiplications.</summary>
    public int Additions => Count("add.f", "fma.", "mad.f");

    /// <summary>Gets the number of integer calculations: what addresses and bounds cost.</summary>
    public int IntegerOperations => Operations.Count(operation => IntegerCalculation().IsMatch(operation));

    /// <summary>The number of instructions whose operation starts as one of those given.</summary>
    public int Count(params string[] prefixes) =>
        Operations.Count(operation => prefixes.Any(prefix => operation.StartsWith(prefix, StringComparison.Ordinal)));

    /// <summary>Whether there is an instruction whose operation starts as one of those given.</summary>
    public bool Has(params string[] prefixes) => Count(prefixes) > 0;

    /// <summary>Whether there is a load or store that does not say which memory it accesses.</summary>
    public bool HasGenericAccess() => Operations.Any(operation => GenericAccess().IsMatch(operation));

    [GeneratedRegex(@"^(@!?%p\d+\s+)?(?<name>[a-z][\w.]*)(\s[^:]*)?;$")]
    private static partial Regex Operation();

    [GeneratedRegex(@"^(mul|mad|add|sub|div|rem|shl|shr|and|or|cvt|selp|min|max)\.(\w+\.)*[bsu](32|64)")]
    private static partial Regex IntegerCalculation();

    [GeneratedRegex(@"^(ld|st)\.(volatile\.)?(v[24]\.)?[bfsu]\d+$")]
    private static partial Regex GenericAccess();
}
