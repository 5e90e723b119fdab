using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>
/// What the benchmarks are run on: everything, or for <c>--quick</c> as little as shows that they work.
/// </summary>
internal static class Selection
{
    /// <summary>The argument that asks for little.</summary>
    public const string QuickArgument = "--quick";

    /// <summary>Gets or sets whether little is asked for.</summary>
    public static bool IsQuick { get; set; }

    /// <summary>Gets the names of the workloads.</summary>
    public static IEnumerable<string> Workloads =>
        IsQuick ? ["small"] : Workload.All.Select(workload => workload.Name);

    /// <summary>Gets the element types.</summary>
    public static IEnumerable<ElementType> Types =>
        IsQuick ? [ElementType.Float32] : [ElementType.Float32, ElementType.Float16, ElementType.BFloat16];

    /// <summary>Gets the memory formats.</summary>
    public static IEnumerable<MemoryFormat> Formats =>
        IsQuick ? [MemoryFormat.ChannelsLast] : [MemoryFormat.ChannelsLast, MemoryFormat.Contiguous];

    /// <summary>Whether a benchmark is part of a quick run.</summary>
    public static bool IsQuickMethod(string method) => !method.EndsWith(nameof(Call.Both), StringComparison.Ordinal);
}
