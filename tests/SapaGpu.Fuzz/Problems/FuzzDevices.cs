namespace SapaGpu.Fuzz.Problems;

/// <summary>The devices of a campaign.</summary>
internal static class FuzzDevices
{
    /// <summary>How many cases on a GPU draw the same kernel, which takes long to compile.</summary>
    public const int CasesPerKernel = 8;

    /// <summary>How long a case on a GPU may take, compilation and simulation included.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private static readonly int[] VectorBits = [0, 128, 256, 512];

    /// <summary>Opens a device by its name; on the CPU in every vector width, with one thread and with several.</summary>
    public static IReadOnlyList<ComputeDevice> Open(string name) => name == "cpu"
        ? [.. VectorBits.Select((bits, i) => ComputeDevice.Open(name, new DeviceOptions { VectorBits = bits, Threads = i }))]
        : [ComputeDevice.Open(name)];

    /// <summary>The element types that a device computes in.</summary>
    public static IReadOnlyList<ElementType> Types(ComputeDevice device) =>
        [.. Enum.GetValues<ElementType>().Where(type => OperatorSupport.Reasons(device.Info, type).Count == 0)];
}
