namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary>What NVIDIA's assembler says of a kernel.</summary>
/// <param name="Registers">The registers of a thread.</param>
/// <param name="LocalBytes">The bytes of a thread in local memory: spilled registers, and arrays.</param>
/// <param name="SharedBytes">The bytes of shared memory that a group takes.</param>
internal sealed record AssembledKernel(int Registers, int LocalBytes, int SharedBytes)
{
    // Of a multiprocessor of an H100.
    private const int AllRegisters = 65536;
    private const int AllSharedBytes = 228 * 1024;
    private const int SharedBytesOfGroup = 1024;
    private const int MostWarps = 64;
    private const int MostGroups = 32;
    private const int WarpSize = 32;
    private const int RegisterUnit = 256;

    /// <summary>The warps that a multiprocessor of an H100 holds at once, of 64.</summary>
    public int ResidentWarps(int groupSize)
    {
        int warps = (groupSize + WarpSize - 1) / WarpSize;
        int registersOfWarp = (Registers * WarpSize + RegisterUnit - 1) / RegisterUnit * RegisterUnit;
        int[] limits =
        [
            MostGroups,
            MostWarps / warps,
            AllRegisters / Math.Max(1, registersOfWarp * warps),
            AllSharedBytes / (SharedBytes + SharedBytesOfGroup),
        ];
        return limits.Min() * warps;
    }
}
