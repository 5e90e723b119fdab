using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>Programs that compute one value of a map at a time and have no variants.</summary>
internal static class MapPrograms
{
    /// <summary>The table of a program that runs one value at a time on every device.</summary>
    public static VariantTable<TParameters> Table<TParameters, TProgram>()
        where TParameters : struct
        where TProgram : struct, IMapProgram<TParameters> => new(variant => variant.VectorBits > 0
            ? new TileLaunchable<MapTiles<TProgram, TParameters>, TParameters>()
            : new GroupLaunchable<MapKernel<TProgram, TParameters>, TParameters>());

    /// <summary>The table of a program that has a separate scalar body for the CPU.</summary>
    public static VariantTable<TParameters> Table<TParameters, TProgram, TTiles>()
        where TParameters : struct
        where TProgram : struct, IMapProgram<TParameters>
        where TTiles : struct, ITileProgram<TParameters> => new(variant => variant.VectorBits > 0
            ? new TileLaunchable<TTiles, TParameters>()
            : new GroupLaunchable<MapKernel<TProgram, TParameters>, TParameters>());
}

/// <summary>A map program where thread groups run it.</summary>
internal sealed class MapKernelOf<TParameters, TProgram> : OpenKernel<TParameters>
    where TParameters : struct
    where TProgram : struct, IMapProgram<TParameters>
{
    public override ILaunchable<TParameters> Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>() =>
        new GroupLaunchable<MapKernel<TProgram, TParameters>, TParameters>();
}
