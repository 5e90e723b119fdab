namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// The registers that a thread of a thread-group program has at most on a CUDA device: one more can cost a whole group
/// of those that a multiprocessor runs at a time.
/// </summary>
/// <param name="registers">The registers.</param>
[AttributeUsage(AttributeTargets.Struct)]
internal sealed class RegisterLimitAttribute(int registers) : Attribute
{
    /// <summary>Three warps on each quarter of a multiprocessor.</summary>
    public const int ThreeWarpsAQuarter = 168;

    /// <summary>Four warps on each quarter of a multiprocessor, of 16,384 registers.</summary>
    public const int FourWarpsAQuarter = 128;

    /// <summary>Seven warps on each quarter of a multiprocessor.</summary>
    public const int SevenWarpsAQuarter = 72;

    /// <summary>Gets the registers.</summary>
    public int Registers { get; } = registers;
}
