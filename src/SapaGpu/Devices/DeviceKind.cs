namespace SapaGpu;

/// <summary>The backends that run the operators.</summary>
public enum DeviceKind
{
    /// <summary>The CPU, through vector programs on all cores; always available.</summary>
    Cpu,

    /// <summary>An OpenCL device: a GPU of any vendor, or a CPU through PoCL.</summary>
    OpenCL,

    /// <summary>An NVIDIA GPU through the CUDA driver.</summary>
    Cuda,
}
