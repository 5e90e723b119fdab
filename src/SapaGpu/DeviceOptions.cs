namespace SapaGpu;

/// <summary>Settings of an opened device; the defaults serve almost everyone.</summary>
public sealed record DeviceOptions
{
    /// <summary>Gets the threads that the CPU device uses; 0 means one for every processor.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Gets the width in bits of the vectors that the CPU device computes with: 128, 256 or 512; 0 means the widest
    /// that the machine has in hardware.
    /// </summary>
    public int VectorBits { get; init; }

    /// <summary>
    /// Gets the bytes of workspace that a backward pass may take beside its inputs and outputs; a larger problem is
    /// worked in bands of rows. A single row of cells with its neighbours may exceed it.
    /// </summary>
    public long WorkspaceBytes { get; init; } = 256L << 20;
}
