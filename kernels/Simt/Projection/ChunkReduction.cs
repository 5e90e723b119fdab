using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>Adds the sums of all chunks, in order, into those of the first.</summary>
internal readonly struct ChunkReduction<TReal>
    : IMapProgram<ProjectionGradientParameters<TReal>>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in ProjectionGradientParameters<TReal> parameters) => new()
    {
        Batch = 1,
        Channels = 1,
        Height = parameters.OutputChannels,
        Width = parameters.InputChannels + 1,
    };

    public static double OperationsPerValue(in ProjectionGradientParameters<TReal> parameters) =>
        parameters.Chunks;

    public static void Apply(in ProjectionGradientParameters<TReal> parameters, in MapPosition at)
    {
        long stride = (long)parameters.OutputChannels * (parameters.InputChannels + 1);
        long index = (long)at.Row * (parameters.InputChannels + 1) + at.Column;
        var sum = parameters.Partials[index];
        int chunk = 1;

        // Reads of four chunks at once, so that their times overlap; the order of the sums is that of the chunks.
        for (; chunk + 4 <= parameters.Chunks; chunk += 4)
        {
            long place = chunk * stride + index;
            var first = parameters.Partials[place];
            var second = parameters.Partials[place + stride];
            var third = parameters.Partials[place + 2 * stride];
            var fourth = parameters.Partials[place + 3 * stride];
            sum = sum + first + second + third + fourth;
        }
        for (; chunk < parameters.Chunks; chunk++)
            sum += parameters.Partials[chunk * stride + index];
        parameters.Partials[index] = sum;
    }
}
