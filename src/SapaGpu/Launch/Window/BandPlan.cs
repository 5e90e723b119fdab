using System.Runtime.CompilerServices;
using ILGPU.Runtime;
using SapaGpu.Devices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Launch;

/// <summary>
/// How the backward is cut so that the weights and the gradients of the scores of one band, with the rows around it
/// whose windows reach into it, fit the workspace: all images at once, or some images, or some rows of one image.
/// </summary>
internal readonly struct BandPlan
{
    private readonly WindowExtent extent;
    private readonly int images;
    private readonly int rows;

    private BandPlan(in WindowExtent extent, int images, int rows)
    {
        this.extent = extent;
        this.images = images;
        this.rows = rows;
        int perImage = (extent.Height + rows - 1) / rows;
        Count = checked((extent.Batch + images - 1) / images * perImage);
        WorkspaceBytes = 0;
    }

    /// <summary>Gets the number of bands.</summary>
    public int Count { get; }

    /// <summary>Gets the bytes of workspace that the largest band takes.</summary>
    public long WorkspaceBytes { get; private init; }

    public static BandPlan Create<TReal>(in WindowExtent extent, bool needsGradKey, bool needsGradValue, long limit)
        where TReal : unmanaged
    {
        int arrays = (needsGradKey ? 1 : 0) + (needsGradValue ? 1 : 0);
        if (arrays == 0)
            return new BandPlan(in extent, extent.Batch, extent.Height);
        long queryRowBytes = (long)arrays * extent.Taps * extent.Columns.Queries * Unsafe.SizeOf<TReal>();
        long imageBytes = queryRowBytes * extent.Rows.Queries;
        if (imageBytes <= limit)
        {
            int images = (int)Math.Clamp(limit / imageBytes, 1, extent.Batch);
            return new BandPlan(in extent, images, extent.Height) { WorkspaceBytes = images * imageBytes };
        }
        double cellRowBytes = (double)imageBytes / extent.Height;
        int rows = (int)Math.Clamp((limit / cellRowBytes) - extent.Window, 1, extent.Height);
        var plan = new BandPlan(in extent, 1, rows);
        return plan with { WorkspaceBytes = plan.MostQueryRows() * queryRowBytes };
    }

    /// <summary>One map of weights [B, K², OH, OW] of the queries of a band, out of the workspace.</summary>
    public static MapView<TReal> View<TReal>(
        MemoryBuffer memory, in WindowExtent extent, in RowBand queries, ref long usedBytes)
        where TReal : unmanaged
    {
        long width = extent.Columns.Queries;
        long firstRow = extent.Rows.First(queries.FirstRow);
        long plane = (extent.Rows.First(queries.FirstRow + queries.Rows) - firstRow) * width;
        long image = plane * extent.Taps;
        long length = image * queries.Images;
        var view = new MapView<TReal>
        {
            Data = memory.View<TReal>(usedBytes, length),
            Origin = -(queries.FirstImage * image + firstRow * width),
            BatchStride = image,
            ChannelStride = plane,
            RowStride = width,
            ColumnStride = 1,
        };
        usedBytes += length * Unsafe.SizeOf<TReal>();
        return view;
    }

    /// <summary>A band: the cells whose gradients it completes, and the rows of queries that see them.</summary>
    public void Band(int index, out RowBand cells, out RowBand queries)
    {
        int perImage = (extent.Height + rows - 1) / rows;
        cells = new RowBand
        {
            FirstImage = index / perImage * images,
            FirstRow = index % perImage * rows,
        };
        cells.Images = Math.Min(images, extent.Batch - cells.FirstImage);
        cells.Rows = Math.Min(rows, extent.Height - cells.FirstRow);

        // Matrix units take two rows of cells at once: they are the same two in every band, and so are the sums.
        int first = Math.Max(0, cells.FirstRow - extent.Radius) & ~1;
        int end = Math.Min(extent.Height, cells.FirstRow + cells.Rows + extent.Radius);
        queries = cells with { FirstRow = first, Rows = end - first };
    }

    private long MostQueryRows()
    {
        int most = 0;
        for (int index = 0; index < Math.Min(Count, (extent.Height + rows - 1) / rows); index++)
        {
            Band(index, out _, out var queries);
            most = Math.Max(
                most, extent.Rows.First(queries.FirstRow + queries.Rows) - extent.Rows.First(queries.FirstRow));
        }
        return most;
    }
}
