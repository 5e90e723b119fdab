using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>Walks the samples of a chunk of queries.</summary>
internal static class DeformableChunk
{
    /// <summary>Visits every cell that the samples of a chunk touch, in the order of the queries.</summary>
    public static void Visit<TElement, TStorage, TReal>(
        in DeformableGatherParameters<TStorage, TReal> parameters, int group, int chunk, int places)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        int first = chunk * parameters.QueriesPerChunk;
        int end = first + parameters.QueriesPerChunk;
        end = end < parameters.Queries ? end : parameters.Queries;
        for (int query = first; query < end; query++)
        {
            int row = query / parameters.Columns.Queries;
            int column = query - row * parameters.Columns.Queries;
            for (int i = 0; i < parameters.Points; i++)
            {
                var point = SamplePoint<TReal>.Locate<TElement, TStorage>(
                    in parameters.Offsets,
                    in parameters.Rows,
                    in parameters.Columns,
                    parameters.Image,
                    group * parameters.Points + i,
                    row,
                    column);
                if (!point.Contributes)
                    continue;
                int sample = query * parameters.Points + i;
                var up = TReal.One - point.Down;
                var left = TReal.One - point.Across;
                Touch(in parameters, group, chunk, point.Row, point.Column, sample, up * left, places);
                Touch(in parameters, group, chunk, point.Row, point.Column + 1, sample, up * point.Across, places);
                Touch(in parameters, group, chunk, point.Row + 1, point.Column, sample, point.Down * left, places);
                Touch(
                    in parameters, group, chunk, point.Row + 1, point.Column + 1, sample, point.Down * point.Across, places);
            }
        }
    }

    private static void Touch<TStorage, TReal>(
        in DeformableGatherParameters<TStorage, TReal> parameters,
        int group,
        int chunk,
        int row,
        int column,
        int sample,
        TReal bilinearWeight,
        int places)
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        if (row < 0 || row >= parameters.Rows.Cells || column < 0 || column >= parameters.Columns.Cells)
            return;
        long count = ((long)group * parameters.Chunks + chunk) * parameters.Cells
            + row * parameters.Columns.Cells + column;
        int known = parameters.Counts[count];
        parameters.Counts[count] = known + 1;
        if (places == 0)
            return;
        long entry = (long)group * 4 * parameters.Queries * parameters.Points + known;
        parameters.Samples[entry] = sample;
        parameters.BilinearWeights[entry] = bilinearWeight;
    }
}
