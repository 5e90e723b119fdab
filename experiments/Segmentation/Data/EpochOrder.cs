namespace SapaGpu.Segmentation;

/// <summary>
/// In which order, and mirrored or not, the training images come in an epoch. It follows from the seed and the epoch
/// alone, so a run that goes on later needs no state of a generator.
/// </summary>
internal sealed class EpochOrder
{
    private readonly int[] indices;
    private readonly bool[] isMirrored;

    public EpochOrder(int seed, int epoch, int images)
    {
        var random = new Random((int)ComponentSeed.Derive(seed, $"epoch/{epoch}"));
        indices = [.. Enumerable.Range(0, images)];
        random.Shuffle(indices);
        isMirrored = new bool[images];
        for (int i = 0; i < images; i++)
            isMirrored[i] = random.Next(2) == 1;
    }

    /// <summary>
    /// The full batches of the epoch; what is left over is not trained on, and is different every time.
    /// </summary>
    public IEnumerable<(int[] Indices, bool[] IsMirrored)> Batches(int size) =>
        indices.Chunk(size).Zip(isMirrored.Chunk(size)).Where(batch => batch.First.Length == size);
}
