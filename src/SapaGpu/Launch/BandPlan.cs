using System.Runtime.CompilerServices;
using ILGPU.Runtime;
using SapaGpu.Kernels;

namespace SapaGpu.Launch;

/// <summary>
/// How the backward is cut so that the weights and the gradients of the scores of one band, with the rows around it
/// whose windows reach into it, fit the workspace: all images at once, or some images, or some rows of one image.
/// </summary>
internal readonly struct BandPlan
{
    private readonly int images;
    private readonly int rows;

    private BandPlan(int images, int rows, int count, long workspaceBytes)
    {
        this.images = images;
        this.rows = rows;
        Count = count;
        WorkspaceBytes = workspaceBytes;
    }

    /// <summary>Gets the number of bands.</summary>
    public int Count { get; }

    /// <summary>Gets the bytes of workspace that the largest band takes.</summary>
    public long WorkspaceBytes { get; }

    public static BandPlan Create<TAccumulator>(in WindowShape shape, bool needsGradKey, bool needsGradValue, long limit)
        where TAccumulator : unmanaged
    {
        int batch = shape.KeyShape.Batch;
        int height = shape.KeyShape.Height;
        int arrays = (needsGradKey ? 1 : 0) + (needsGradValue ? 1 : 0);
        long rowBytes = (long)arrays * shape.Window * shape.Window * shape.Scale * shape.QueryShape.Width
            * Unsafe.SizeOf<TAccumulator>();
        long imageBytes = rowBytes * height;
        if (arrays == 0 || imageBytes <= limit)
        {
            int images = arrays == 0 ? batch : (int)Math.Clamp(limit / imageBytes, 1, batch);
            return new BandPlan(images, height, (batch + images - 1) / images, images * imageBytes);
        }
        int halo = shape.Window - 1;
        int rows = (int)Math.Clamp(limit / rowBytes - halo, 1, height);
        int perImage = (height + rows - 1) / rows;
        return new BandPlan(1, rows, checked(batch * perImage), Math.Min(rows + halo, height) * rowBytes);
    }

    /// <summary>One map of weights [B, K², s·H, s·W] of the queries of a band, out of the workspace.</summary>
    public static MapView<TAccumulator> View<TAccumulator>(
        MemoryBuffer memory, in WindowShape shape, in RowBand queries, ref long usedBytes)
        where TAccumulator : unmanaged
    {
        long width = shape.QueryShape.Width;
        long plane = (long)queries.Rows * shape.Scale * width;
        long image = plane * shape.Window * shape.Window;
        long length = image * queries.Images;
        var view = new MapView<TAccumulator>
        {
            Data = memory.View<TAccumulator>(usedBytes, length),
            Origin = -(queries.FirstImage * image + (long)queries.FirstRow * shape.Scale * width),
            BatchStride = image,
            ChannelStride = plane,
            RowStride = width,
            ColumnStride = 1,
        };
        usedBytes += length * Unsafe.SizeOf<TAccumulator>();
        return view;
    }

    /// <summary>A band: the cells whose gradients it completes, and the rows of queries that see them.</summary>
    public void Band(int index, in WindowShape shape, out RowBand cells, out RowBand queries)
    {
        int height = shape.KeyShape.Height;
        int perImage = (height + rows - 1) / rows;
        cells = new RowBand
        {
            FirstImage = index / perImage * images,
            FirstRow = index % perImage * rows,
        };
        cells.Images = Math.Min(images, shape.KeyShape.Batch - cells.FirstImage);
        cells.Rows = Math.Min(rows, height - cells.FirstRow);
        int radius = shape.Window / 2;
        int first = Math.Max(0, cells.FirstRow - radius);
        int end = Math.Min(height, cells.FirstRow + cells.Rows + radius);
        queries = cells with { FirstRow = first, Rows = end - first };
    }
}
