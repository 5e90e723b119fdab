namespace SapaGpu.Workloads;

/// <summary>The calls that are measured.</summary>
internal enum Call
{
    Forward,
    Backward,
    Both,
}
