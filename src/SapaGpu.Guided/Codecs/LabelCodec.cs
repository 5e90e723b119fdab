
namespace SapaGpu.Guided;

/// <summary>
/// Maps of classes: every class is a channel that is 1 in its cells, and the class with the largest average wins. Only
/// the classes of a rectangle take part, so hundreds of classes need no more memory than a few.
/// </summary>
/// <remarks>
/// The class of missing values cannot win by spreading; it stays where it has more than half of the weights, just as in
/// <see cref="ContinuousCodec"/>.
/// </remarks>
internal sealed class LabelCodec : IClassCodec
{
    private readonly ClassMap map;
    private readonly int? unknownClass;

    /// <summary>Prepares a map of classes.</summary>
    /// <param name="map">The classes.</param>
    /// <param name="unknown">The value that marks missing values; null if there is none.</param>
    public LabelCodec(ClassMap map, float? unknown)
    {
        this.map = map;
        unknownClass = map.FindUnknown(unknown);
    }

    public int Height => map.Height;

    public int Width => map.Width;

    public int SampleChannels => map.SampleChannels;

    public int CountChannels(Region cells) => ClassesOf(cells).Count;

    public EncodedCells Encode(Region cells)
    {
        var classes = ClassesOf(cells);
        var channelOf = new Dictionary<int, int>(classes.Count);
        foreach (int label in classes)
            channelOf.Add(label, channelOf.Count);
        var values = new float[cells.Count * classes.Count];
        int next = 0;
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++, next += classes.Count)
                values[next + channelOf[map.ClassAt(row, column)]] = 1;
        }
        return new EncodedCells(classes.Count, values, classes);
    }

    public void Decode(EncodedCells encoded, PixelBlock pixels, ReadOnlySpan<float> averages, Span<float> samples)
    {
        int unknownChannel = UnknownChannel(encoded);
        int from = 0;
        for (int to = 0; to < samples.Length; to += SampleChannels, from += encoded.Channels)
        {
            int winner = ClassDecision.Winner(averages.Slice(from, encoded.Channels), unknownChannel);
            map.SamplesOf(encoded.Classes[winner]).CopyTo(samples[to..]);
        }
    }

    public bool IsUniform(Region cells) => map.IsUniform(cells);

    public int UnknownChannel(EncodedCells encoded)
    {
        for (int i = 0; i < encoded.Classes.Count; i++)
        {
            if (encoded.Classes[i] == unknownClass)
                return i;
        }
        return -1;
    }

    private List<int> ClassesOf(Region cells)
    {
        var classes = new SortedSet<int>();
        for (int row = cells.Row; row < cells.EndRow; row++)
        {
            for (int column = cells.Column; column < cells.EndColumn; column++)
                classes.Add(map.ClassAt(row, column));
        }
        return [.. classes];
    }
}
