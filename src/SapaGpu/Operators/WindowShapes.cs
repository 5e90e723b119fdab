using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>The window problem of a call: the shapes of the whole operands, and those of one head.</summary>
internal readonly record struct HeadedWindow(WindowShape Shape, WindowAttentionOptions Options)
{
    public int Heads => Options.Heads;

    /// <summary>Gets the number of heads that split the value; 1 if they share it.</summary>
    public int ValueHeads => Options.HeadValue == HeadValue.Split ? Heads : 1;

    /// <summary>Gets the problem of one head.</summary>
    public WindowProblem Head
    {
        get
        {
            var key = Shape.KeyShape;
            var own = Heads == 1
                ? Shape
                : new WindowShape(
                    new MapShape(key.Batch, key.Channels / Heads, key.Height, key.Width),
                    Shape.ValueShape.Channels / ValueHeads,
                    Shape.QueryShape.Height,
                    Shape.QueryShape.Width,
                    Shape.Window);
            return new WindowProblem(own, Options.Border, Options.Normalisation);
        }
    }

    /// <summary>Gets the shape of the output, [B, C or heads·C, OH, OW].</summary>
    public MapShape OutputShape => With((long)Shape.ValueShape.Channels * (Heads / ValueHeads));

    /// <summary>Gets the shape of scores and weights, [B, heads·K², OH, OW].</summary>
    public MapShape WeightsShape => With((long)Heads * Shape.Window * Shape.Window);

    /// <summary>Gets the shape of what the forward saves, [B, heads, OH, OW].</summary>
    public MapShape NormaliserShape => With(Heads);

    private MapShape With(long channels) => channels <= int.MaxValue
        ? new(Shape.QueryShape.Batch, (int)channels, Shape.QueryShape.Height, Shape.QueryShape.Width)
        : throw new ArgumentException(
            $"{Heads} heads need {channels} channels, more than a map can have; use fewer heads.");
}

/// <summary>Derives a window problem from the operands of a call.</summary>
internal static class WindowShapes
{
    /// <summary>
    /// Derives the problem from a map of output size and a map of decoder cells; their batch sizes must agree.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The batch sizes differ, or a number of channels is not a multiple of the number of heads.
    /// </exception>
    /// <exception cref="NotSupportedException">The device of the operands does not support the problem.</exception>
    public static HeadedWindow Infer(
        string highName,
        FeatureMap high,
        string lowName,
        FeatureMap low,
        int embeddingChannels,
        int valueChannels,
        WindowAttentionOptions options,
        params ReadOnlySpan<Operand> operands)
    {
        if (high.Shape.Batch != low.Shape.Batch)
        {
            throw new ArgumentException(
                $"'{highName}' {high.Shape} must have as many images as '{lowName}' {low.Shape}. " +
                OperandChecks.Describe(operands),
                highName);
        }
        CheckLeast(options);
        int valueHeads = options.HeadValue == HeadValue.Split ? options.Heads : 1;
        if (embeddingChannels % options.Heads != 0 || valueChannels % valueHeads != 0)
        {
            throw new ArgumentException(
                $"With {options.Heads} heads, the number of channels must be a multiple of {options.Heads}. " +
                OperandChecks.Describe(operands),
                nameof(options));
        }
        var key = new MapShape(low.Shape.Batch, embeddingChannels, low.Shape.Height, low.Shape.Width);
        var shape = new WindowShape(key, valueChannels, high.Shape.Height, high.Shape.Width, options.Window);
        SupportChecks.Require(low, in shape, options.Border, operands);
        return new HeadedWindow(shape, options);
    }

    /// <summary>Checks that heads and window are at least 1, so that shapes can be derived from them.</summary>
    /// <exception cref="ArgumentException">The number of heads is below 1.</exception>
    /// <exception cref="NotSupportedException">The window is below 1.</exception>
    public static void CheckLeast(WindowAttentionOptions options)
    {
        if (options.Heads < 1)
            throw new ArgumentException($"Heads must be at least 1; got {options.Heads}.", nameof(options));
        if (options.Window < 1)
        {
            throw new NotSupportedException(
                $"The window is {options.Window}, and it must be odd and from 1 to {OperatorSupport.MaximumWindow}.");
        }
    }
}
