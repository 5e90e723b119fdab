namespace SapaGpu;

/// <summary>The backends that run the operators.</summary>
public enum DeviceKind
{
    /// <summary>The processor, through vector programs on all cores. Always there.</summary>
    Cpu,

    /// <summary>An OpenCL device: a GPU of any vendor, or a processor through PoCL.</summary>
    OpenCL,

    /// <summary>An NVIDIA GPU through the CUDA driver.</summary>
    Cuda,
}
