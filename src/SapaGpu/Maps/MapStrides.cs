namespace SapaGpu;

/// <summary>
/// The distances in memory, in elements, from one image, channel, row and column of a map to the next.
/// </summary>
/// <param name="Batch">From an image to the next.</param>
/// <param name="Channel">From a channel to the next; 1 where the channels of a position lie side by side.</param>
/// <param name="Row">From a row to the next.</param>
/// <param name="Column">From a column to the next; 1 where the columns of a row lie side by side.</param>
public readonly record struct MapStrides(long Batch, long Channel, long Row, long Column);
