namespace SapaGpu.Benchmarks;

/// <summary>
/// How processes that are timed get memory from glibc: libtorch keeps what it frees, in large pages. By default every tensor of
/// more than 32 MiB is mapped anew, and in a virtual machine the first touch of its pages can take most of a peer's time.
/// </summary>
internal static class AllocatorSettings
{
    /// <summary>The name of the variable of the environment.</summary>
    public const string Variable = "GLIBC_TUNABLES";

    /// <summary>Its value: no mappings, nothing given back below 1 TiB, large pages; other systems ignore it.</summary>
    public const string Value =
        "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.hugetlb=1";
}
