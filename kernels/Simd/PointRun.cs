using System.Numerics;
using SapaGpu.Kernels.Maps;

namespace SapaGpu.Kernels.Simd;

/// <summary>What the programs that sample at points share: runs of queries.</summary>
internal static unsafe class PointRun<TStorage, T>
    where TStorage : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The queries of a tile.</summary>
    public const int Length = 16;

    /// <summary>All queries, as pixels with some channels.</summary>
    public static PointwiseExtent Extent(in PointSamplingParameters<TStorage> parameters) => new()
    {
        Batch = parameters.Batch,
        Height = parameters.Rows.Queries,
        Width = parameters.Columns.Queries,
        InputChannels = parameters.Groups * parameters.GroupChannels,
        OutputChannels = parameters.Groups * parameters.GroupChannels,
    };
}
