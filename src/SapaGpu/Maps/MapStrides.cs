namespace SapaGpu;

/// <summary>
/// The strides of a map in elements: the distances in memory from one image, channel, row and column to the next.
/// </summary>
/// <param name="Batch">From an image to the next.</param>
/// <param name="Channel">From a channel to the next; 1 in channels-last maps (NHWC).</param>
/// <param name="Row">From a row to the next.</param>
/// <param name="Column">From a column to the next; 1 in contiguous maps (NCHW).</param>
public readonly record struct MapStrides(long Batch, long Channel, long Row, long Column);
