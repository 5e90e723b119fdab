namespace SapaGpu.Layers;

/// <summary>The check of SAPA modules that the guide is not smaller than the map that it guides.</summary>
internal static class GuideSizeCheck
{
    /// <summary>Checks the sizes of the maps of a call.</summary>
    /// <param name="options">The options of the module.</param>
    /// <param name="encoder">Rows and columns of the encoder features.</param>
    /// <param name="decoder">Rows and columns of the decoder features.</param>
    /// <param name="operands">The operands, for the message.</param>
    /// <exception cref="ArgumentException">
    /// The encoder map is smaller along an axis, and the options do not allow it.
    /// </exception>
    public static void Require(
        SapaOptions options, (long Rows, long Columns) encoder, (long Rows, long Columns) decoder, string operands)
    {
        if (options.AllowsDownsampling || (encoder.Rows >= decoder.Rows && encoder.Columns >= decoder.Columns))
            return;
        throw new ArgumentException(
            $"The encoder map has {encoder.Rows} x {encoder.Columns} pixels, fewer than the {decoder.Rows} x " +
            $"{decoder.Columns} of the decoder map; swap the arguments if they are the wrong way round, or set " +
            $"{nameof(SapaOptions)}.{nameof(SapaOptions.AllowsDownsampling)} to bring the map to a smaller size. {operands}",
            nameof(encoder));
    }
}
