using System.Numerics;
using ILGPU;
using ILGPU.Runtime;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Numerics;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gather of <see cref="CellQuadGather{TElement, TStorage, TReal, TWeightElement, TWeight, TWindow, TAccess}"/>
/// where columns lie side by side: neighbouring threads take neighbouring quads, each four channels, and read the two
/// queries of a row of a cell at once.
/// </summary>
/// <remarks>
/// A cell of queries is eight reads of the source and up to four of the weights for up to 64 multiply-adds; where the
/// rows begin, positions are found once for the row.
/// </remarks>
[RegisterLimit(RegisterLimitAttribute.FourWarpsAQuarter)]
internal readonly struct CellQuadRowGather<TElement, TStorage, TReal, TWeightElement, TWeight, TWindow>
    : IKernel<TransposedReassemblyParameters<TStorage, TWeight>>
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TWeightElement : struct, IElement<TWeight, TReal>
    where TWeight : unmanaged
    where TWindow : struct, IWindow
{
    // Wide tiles are few; on a large GPU their channels are shared by several groups.
    private const int ChannelsOfGroup = 128;

    public static int GroupSize => 128;

    public static long GroupCount(in TransposedReassemblyParameters<TStorage, TWeight> parameters) =>
        CellQuadTile<TWindow, WideQuads>.GroupCount(
            in parameters.Extent, in parameters.Band, Parts(in parameters.Extent));

    public static void Execute(in TransposedReassemblyParameters<TStorage, TWeight> parameters)
    {
        var weights = SharedMemory.Allocate<Pack4<TReal>>(
            CellQuadTile<TWindow, WideQuads>.Quads * CellQuadTile<TWindow, WideQuads>.QuadPitch).AsAligned(16);
        var tile = CellQuadTile<TWindow, WideQuads>.Locate(
            in parameters.Extent, in parameters.Band, Parts(in parameters.Extent));
        tile.LoadWeights<TWeightElement, TWeight, TReal>(
            in parameters.Extent, in parameters.Weights, GroupSize, weights.Cast<TReal>());
        Group.Barrier();

        int quads = CellQuadTile<TWindow, WideQuads>.Quads;
        int quad = Group.IdxX & (quads - 1);
        int row = tile.CellRow(4 * quad);
        int column = tile.CellColumn(4 * quad);
        if (!(row < tile.RowEnd & column < parameters.Extent.Width))
            return;
        int firstChannel = tile.Part * ChannelsOfGroup;
        int endChannel = Math.Min(firstChannel + ChannelsOfGroup, parameters.Extent.ValueChannels);
        for (int channel = firstChannel + Group.IdxX / quads * 4;
             channel < endChannel;
             channel += GroupSize / quads * 4)
        {
            var sums = default(CellQuadRowSums<TElement, TStorage, TReal, TWindow>);
            sums.Locate(in parameters.Source, in parameters.Extent, tile.Image, channel, row, column);
            int weight = quad * CellQuadTile<TWindow, WideQuads>.QuadPitch;
            for (int i = 0; i <= TWindow.Size(0); i++)
            {
                sums.AddRow(in parameters.Source, weights, weight, i);
                sums.NextRow(in parameters.Source);
                weight += TWindow.Size(0);
            }

            bool below = row + 1 < tile.RowEnd;
            bool right = column + 1 < parameters.Extent.Width;
            Write(in parameters, tile.Image, channel, row, column, true, sums.Sum0);
            Write(in parameters, tile.Image, channel, row, column + 1, right, sums.Sum1);
            Write(in parameters, tile.Image, channel, row + 1, column, below, sums.Sum2);
            Write(in parameters, tile.Image, channel, row + 1, column + 1, below & right, sums.Sum3);
        }
    }

    private static int Parts(in WindowExtent extent) =>
        (extent.ValueChannels + ChannelsOfGroup - 1) / ChannelsOfGroup;

    private static void Write(
        in TransposedReassemblyParameters<TStorage, TWeight> parameters,
        int image,
        int channel,
        int row,
        int column,
        bool inside,
        Pack4<TReal> sum)
    {
        if (!inside)
            return;
        long offset = parameters.Result.Offset(image, channel, row, column);
        int remaining = parameters.Extent.ValueChannels - channel;
        if (parameters.Accumulate != 0)
        {
            var known = StridedAccess.Load<TElement, TStorage, TReal>(in parameters.Result, offset, remaining);
            Pack4.Add(ref sum, TReal.One, in known);
        }
        StridedAccess.Store<TElement, TStorage, TReal>(in parameters.Result, offset, remaining, in sum);
    }
}
