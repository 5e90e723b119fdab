using SapaGpu.Workloads;

namespace SapaGpu.Benchmarks;

/// <summary>
/// Benchmarks whose work is known, so that their time can be compared with the limits of the machine.
/// </summary>
public abstract class MeasuredBenchmarks
{
    /// <summary>What a method has to do at least, given the parameters.</summary>
    internal abstract Cost CostOf(string method);
}
