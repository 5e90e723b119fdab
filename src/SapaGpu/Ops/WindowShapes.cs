namespace SapaGpu;

/// <summary>Derives a window problem from the operands of a call.</summary>
internal static class WindowShapes
{
    /// <summary>
    /// The problem of a map of query resolution and a map of decoder cells; the ratio of their sizes is the scale.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes have no common integer ratio, or the batches differ.</exception>
    public static WindowShape Infer(
        string highName,
        TensorShape high,
        string lowName,
        TensorShape low,
        int window,
        int embeddingChannels,
        int valueChannels,
        params ReadOnlySpan<Operand> operands)
    {
        int scale = high.Height / low.Height;
        if (scale < 1 || low.Height * (long)scale != high.Height || low.Width * (long)scale != high.Width
            || high.Batch != low.Batch)
        {
            throw new ArgumentException(
                $"'{highName}' {high} must have the images of '{lowName}' {low} and s times its rows and columns for " +
                $"one integer s. {OperandChecks.Describe(operands)}",
                highName);
        }
        return window < 1
            ? throw new NotSupportedException($"The window is {window}, and it must be odd and from 1 to 15.")
            : new WindowShape(low.Batch, low.Height, low.Width, window, scale, embeddingChannels, valueChannels);
    }
}
