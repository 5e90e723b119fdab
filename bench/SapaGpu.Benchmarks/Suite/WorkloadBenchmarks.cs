using BenchmarkDotNet.Attributes;
using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>Benchmarks of an operator on every workload, element type and memory format.</summary>
public abstract class WorkloadBenchmarks : MeasuredBenchmarks
{
    public static IEnumerable<string> Workloads => Selection.Workloads;

    public static IEnumerable<ElementType> Types => Selection.Types;

    public static IEnumerable<MemoryFormat> Formats => Selection.Formats;

    /// <summary>Gets or sets the name of the operator.</summary>
    public abstract string Operation { get; set; }

    [ParamsSource(nameof(Workloads))]
    public string Workload { get; set; } = "";

    [ParamsSource(nameof(Types))]
    public ElementType Type { get; set; }

    [ParamsSource(nameof(Formats))]
    public MemoryFormat Format { get; set; }

    private protected Operator Kind => Enum.Parse<Operator>(Operation);

    private protected SapaGpu.Workloads.Workload Chosen => SapaGpu.Workloads.Workload.Find(Workload);
}
