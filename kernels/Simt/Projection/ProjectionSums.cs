using System.Numerics;
using SapaGpu.Kernels.Numerics;

namespace SapaGpu.Kernels.Simt;

/// <summary>Sixteen sums of a matrix product: four rows of four columns.</summary>
internal struct ProjectionSums<TReal>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    /// <summary>The first row.</summary>
    public Pack4<TReal> X;

    /// <summary>The second row.</summary>
    public Pack4<TReal> Y;

    /// <summary>The third row.</summary>
    public Pack4<TReal> Z;

    /// <summary>The fourth row.</summary>
    public Pack4<TReal> W;

    /// <summary>Adds the products of a factor for each row and one for each column.</summary>
    public void Add(Pack4<TReal> rows, in Pack4<TReal> columns)
    {
        Pack4.Add(ref X, rows.X, in columns);
        Pack4.Add(ref Y, rows.Y, in columns);
        Pack4.Add(ref Z, rows.Z, in columns);
        Pack4.Add(ref W, rows.W, in columns);
    }
}
