using System.Numerics;
using ILGPU;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Kernels.Simt;

/// <summary>The cells that a sample touches: up to four corners around its point.</summary>
internal static class DeformableTouch
{
    /// <summary>The corners of a sample.</summary>
    public const int Corners = 4;

    /// <summary>Visits the cells around one point of one query.</summary>
    /// <param name="parameters">The problem.</param>
    /// <param name="at">The query, and as its channel the point among those of all groups.</param>
    /// <param name="places">
    /// Whether each visit is written into the list of its cell rather than counted; in which order depends on chance.
    /// </param>
    public static void Visit<TElement, TStorage, TReal>(
        in DeformableGatherParameters<TStorage, TReal> parameters, in MapPosition at, bool places)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var point = SamplePoint<TReal>.Locate<TElement, TStorage>(
            in parameters.Offsets,
            in parameters.Rows,
            in parameters.Columns,
            parameters.Image,
            at.Channel,
            at.Row,
            at.Column);
        if (!point.Contributes)
            return;
        int group = at.Channel / parameters.Points;
        int query = at.Row * parameters.Columns.Queries + at.Column;
        int sample = query * parameters.Points + at.Channel - group * parameters.Points;
        for (int corner = 0; corner < Corners; corner++)
        {
            int row = point.Row + corner / 2;
            int column = point.Column + (corner & 1);
            if (row < 0 | row >= parameters.Rows.Cells | column < 0 | column >= parameters.Columns.Cells)
                continue;
            long cell = (long)group * parameters.Cells + row * parameters.Columns.Cells + column;
            int place = Atomic.Add(ref parameters.Counts[cell], 1);
            if (places)
                parameters.Samples[(long)group * parameters.EntriesOfGroup + place] = sample * Corners + corner;
        }
    }

    /// <summary>The bilinear weight of a corner of a sample.</summary>
    public static TReal BilinearWeight<TElement, TStorage, TReal>(
        in DeformableGatherParameters<TStorage, TReal> parameters, int group, int sample, int corner)
        where TElement : struct, IElement<TStorage, TReal>
        where TStorage : unmanaged
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        int query = sample / parameters.Points;
        int row = query / parameters.Columns.Queries;
        var point = SamplePoint<TReal>.Locate<TElement, TStorage>(
            in parameters.Offsets,
            in parameters.Rows,
            in parameters.Columns,
            parameters.Image,
            group * parameters.Points + sample - query * parameters.Points,
            row,
            query - row * parameters.Columns.Queries);
        var down = corner >= 2 ? point.Down : TReal.One - point.Down;
        var across = (corner & 1) != 0 ? point.Across : TReal.One - point.Across;
        return down * across;
    }
}
