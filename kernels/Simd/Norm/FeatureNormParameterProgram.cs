using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The gradients of factor and offset of a normalisation from the sums of the rows on the CPU; a tile is some channels.
/// </summary>
internal readonly unsafe struct FeatureNormParameterProgram<TStorage, TReal> : ITileProgram<FeatureNormParameters<TStorage, TReal>>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private const int ChannelsPerTile = 16;

    public static long TileCount(in FeatureNormParameters<TStorage, TReal> parameters) =>
        (parameters.Extent.InputChannels + ChannelsPerTile - 1) / ChannelsPerTile;

    public static double Operations(in FeatureNormParameters<TStorage, TReal> parameters) =>
        4.0 * parameters.Extent.Batch * parameters.Extent.InputChannels * parameters.Extent.Height;

    public static long ScratchBytes(in FeatureNormParameters<TStorage, TReal> parameters) => 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Execute(in FeatureNormParameters<TStorage, TReal> parameters, long tile, byte* scratch)
    {
        int first = (int)tile * ChannelsPerTile;
        int end = Math.Min(first + ChannelsPerTile, parameters.Extent.InputChannels);
        var sums = new MapPointer<TReal>(in parameters.RowSums);
        var gradWeight = ViewPointer.Of(parameters.GradWeight);
        var gradBias = ViewPointer.Of(parameters.GradBias);
        for (int channel = first; channel < end; channel++)
        {
            TReal sum = TReal.Zero;
            TReal product = TReal.Zero;
            for (int image = 0; image < parameters.Extent.Batch; image++)
            {
                TReal* own = sums.At(image, 2 * channel, 0, 0);
                for (int row = 0; row < parameters.Extent.Height; row++)
                {
                    sum += *own;
                    product += own[sums.ChannelStride];
                    own += sums.RowStride;
                }
            }
            gradBias[channel] = sum;
            gradWeight[channel] = product;
        }
    }
}
