namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary>A loop of machine code, from the target of a branch back to the branch.</summary>
/// <param name="Operations">The operations, such as <c>FFMA</c> or <c>LDS.128</c>, those of loops within it too.</param>
/// <param name="IsInnermost">Whether it holds no other loop.</param>
internal sealed record SassLoop(IReadOnlyList<string> Operations, bool IsInnermost)
{
    /// <summary>Gets the number of multiply-adds.</summary>
    public int MultiplyAdds => Operations.Count(operation => operation is "FFMA" or "DFMA");

    /// <summary>Gets the number of matrix products, of 16 × 16 and 16 × 8 values.</summary>
    public int MatrixProducts => Operations.Count(operation => operation.StartsWith("HMMA", StringComparison.Ordinal));

    /// <summary>Gets the share of multiply-adds in all instructions.</summary>
    public double Share => (double)MultiplyAdds / Operations.Count;

    /// <summary>Gets whether global or shared memory is read or written.</summary>
    public bool AccessesMemory => Operations.Any(operation =>
        operation.StartsWith("LD", StringComparison.Ordinal) && !operation.StartsWith("LDC", StringComparison.Ordinal)
        || operation.StartsWith("ST", StringComparison.Ordinal));

    /// <summary>Gets whether it reads global memory.</summary>
    public bool ReadsMemory =>
        Operations.Any(operation => operation.StartsWith("LDG", StringComparison.Ordinal));

    /// <summary>Gets whether something is divided, or a function called that does.</summary>
    public bool Divides => Operations.Any(operation =>
        operation.StartsWith("MUFU.RCP", StringComparison.Ordinal)
        || operation.StartsWith("I2F", StringComparison.Ordinal)
        || operation.StartsWith("CALL", StringComparison.Ordinal));
}
