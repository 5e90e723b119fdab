using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>What the programs of the blended query share.</summary>
internal static class QueryBlend
{
    public static TReal Gate<TElement, TStorage, TReal>(
        in QueryBlendParameters<TStorage> parameters, int image, int row, int column)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var score = TElement.Load(parameters.Gate.Data[parameters.Gate.Offset(image, 0, row, column)]);
        return Sigmoid.Of<TElement, TStorage, TReal>(score);
    }
}
