using ILGPU;

namespace SapaGpu.Kernels.Contracts;

/// <summary>The contract of the programs that measure what a device can do at most.</summary>
internal struct ProbeParameters
{
    /// <summary>The workers, each of which writes one number.</summary>
    public int Workers;

    /// <summary>The rounds of a worker.</summary>
    public int Rounds;

    /// <summary>One number of every worker, so that no compiler drops the work.</summary>
    public ArrayView<float> Result;
}
