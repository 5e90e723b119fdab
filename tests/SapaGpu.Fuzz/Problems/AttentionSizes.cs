using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>The options and sizes of a window problem.</summary>
internal sealed class AttentionSizes
{
    private const int LargestRatio = OperatorSupport.MaximumScale;

    public AttentionSizes(Draw draw, Draw kernel)
    {
        int window = kernel.Of(1, 3, 3, 5, 5, 5, 7, 9, 15);
        var border = kernel.Enum<BorderRule>();
        var normalisation = kernel.OnceIn(2) ? ScoreNormalisation.Softmax : kernel.Enum<ScoreNormalisation>();
        int heads = kernel.Of(1, 1, 2, 3);
        var headValue = kernel.Enum<HeadValue>();
        Options = new()
        {
            Window = window,
            Border = border,
            Normalisation = normalisation,
            Heads = heads,
            HeadValue = headValue,
        };
        long work = Sizes.Work(draw);
        for (int attempt = 0; ; attempt++)
        {
            int images = draw.Of(1, 1, 2, 3);
            var (height, width, outputHeight, outputWidth) = Sizes.Resized(draw, kernel, LargestRatio);
            if (border == BorderRule.Shifted)
                (height, width) = (Math.Max(height, window), Math.Max(width, window));
            var (embedding, value) = (Sizes.Channels(draw), Sizes.Channels(draw));
            if (attempt > 20)
                (images, embedding, value) = (1, draw.Int(1, 2), draw.Int(1, 2));
            if (attempt > 40)
                (outputHeight, outputWidth) = (Math.Min(outputHeight, 2 * height), Math.Min(outputWidth, 2));
            long queries = (long)images * outputHeight * outputWidth;
            if (attempt <= 60 && queries * window * window * heads * (embedding + value) > work)
                continue;
            Key = new(images, heads * embedding, height, width);
            ValueChannels = headValue == HeadValue.Split ? heads * value : value;
            (OutputHeight, OutputWidth) = (outputHeight, outputWidth);
            break;
        }
    }

    public WindowAttentionOptions Options { get; }

    public MapShape Key { get; }

    public int ValueChannels { get; }

    public int OutputHeight { get; }

    public int OutputWidth { get; }

    public int Taps => Options.Window * Options.Window;

    public WindowShape Window => new(Key, ValueChannels, OutputHeight, OutputWidth, Options.Window);

    public MapShape Query => new(Key.Batch, Key.Channels, OutputHeight, OutputWidth);

    public MapShape Value => new(Key.Batch, ValueChannels, Key.Height, Key.Width);

    public MapShape Weights => new(Key.Batch, Options.Heads * Taps, OutputHeight, OutputWidth);

    public MapShape Output => new(
        Key.Batch,
        Options.HeadValue == HeadValue.Shared ? Options.Heads * ValueChannels : ValueChannels,
        OutputHeight,
        OutputWidth);

    /// <summary>
    /// Gradients of a 16-bit value that heads share are sums of what each head has rounded, rounded again.
    /// </summary>
    public double HeadRoundings(ElementType type, bool backward) =>
        backward && type.Size() == sizeof(ushort) && Options.HeadValue == HeadValue.Shared ? 2 : 1;

    /// <summary>Whether heads add parts of the type Half, each of which may overflow.</summary>
    public bool PartsMayOverflow(ElementType type) =>
        type == ElementType.Float16 && Options.Heads > 1 && Options.HeadValue == HeadValue.Shared;

    public override string ToString() =>
        $"K{Options.Window} {Options.Border} {Options.Normalisation} {Options.Heads} heads {Options.HeadValue}";
}
