using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>Four channels of the four queries of a query pack.</summary>
internal struct QueryPack<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private Pack4<TReal> x;
    private Pack4<TReal> y;
    private Pack4<TReal> z;
    private Pack4<TReal> w;

    /// <summary>Reads the queries, a constant pitch apart.</summary>
    public static QueryPack<TReal> Load(ArrayView<Pack4<TReal>> queries, int first, int pitch) => new()
    {
        x = queries[first],
        y = queries[first + pitch],
        z = queries[first + 2 * pitch],
        w = queries[first + 3 * pitch],
    };

    /// <summary>Adds the products of each query with a key.</summary>
    public readonly void AddDots(Pack4<TReal> key, ref Pack4<TReal> sums)
    {
        sums.X = Pack4.AddDot(in x, in key, sums.X);
        sums.Y = Pack4.AddDot(in y, in key, sums.Y);
        sums.Z = Pack4.AddDot(in z, in key, sums.Z);
        sums.W = Pack4.AddDot(in w, in key, sums.W);
    }
}
