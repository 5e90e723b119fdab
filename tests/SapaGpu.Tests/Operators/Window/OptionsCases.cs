namespace SapaGpu.Tests.Operators;

/// <summary>
/// The problems that the choices of window attention are tested on: every border with every normalisation, with integer
/// and other ratios, with windows of every width and with heads; channels below and above a vector, and rows that end
/// inside one.
/// </summary>
public static class OptionsCases
{
    private static readonly IReadOnlyList<OptionsCase> SmallCases =
        [.. Enum.GetValues<BorderRule>().SelectMany(CreateSmall)];

    private static readonly IReadOnlyList<OptionsCase> LargeCases =
        [.. Enum.GetValues<BorderRule>().SelectMany(CreateLarge)];

    /// <summary>Problems whose gradients the reference computes in a moment.</summary>
    public static IEnumerable<OptionsCase> Small(BorderRule border) =>
        SmallCases.Where(c => c.Options.Border == border);

    /// <summary>Problems for the forward only.</summary>
    public static IEnumerable<OptionsCase> Large(BorderRule border) =>
        LargeCases.Where(c => c.Options.Border == border);

    private static IEnumerable<OptionsCase> CreateSmall(BorderRule border)
    {
        var plain = new WindowAttentionOptions { Window = 3, Border = border };
        var sigmoid = plain with { Normalisation = ScoreNormalisation.Sigmoid };
        var none = plain with { Normalisation = ScoreNormalisation.None };
        bool moves = border == BorderRule.Shifted;

        // Every normalisation at an integer scale.
        yield return Case(plain, (3, 4), (6, 8), 4, 8, batch: 2);
        yield return Case(plain, (4, 3), (8, 6), 3, 5);
        yield return Case(sigmoid, (3, 4), (6, 8), 3, 5);
        yield return Case(none, (3, 4), (6, 8), 3, 5);

        // Other ratios, among them downsampling, and integers that differ between the axes.
        yield return Case(plain, (3, 5), (7, 8), 4, 4, batch: 2);
        yield return Case(sigmoid, (4, 6), (10, 9), 2, 3);
        yield return Case(plain, (5, 7), (3, 4), 3, 2);
        yield return Case(none, moves ? (3, 3) : (2, 3), moves ? (12, 3) : (8, 3), 2, 3);

        // Windows of every width; maps as large as the window, larger, and where that is allowed smaller.
        yield return Case(plain with { Window = 1 }, (2, 3), (5, 6), 3, 2);
        yield return Case(plain, (3, 3), (7, 8), 2, 3);
        yield return Case(plain with { Window = 5 }, (5, 5), (10, 9), 2, 2);
        yield return Case(sigmoid with { Window = 5 }, (6, 7), (9, 10), 1, 3);
        yield return Case(plain with { Window = 7 }, moves ? (7, 8) : (2, 4), moves ? (8, 7) : (5, 8), 1, 2);
        yield return Case(none with { Window = 9 }, moves ? (9, 9) : (3, 5), moves ? (9, 9) : (4, 5), 1, 1);

        // Heads.
        yield return Case(plain with { Heads = 2 }, (3, 4), (6, 8), 8, 8);
        yield return Case(sigmoid with { Heads = 2, HeadValue = HeadValue.Shared }, (3, 5), (7, 8), 4, 3);
        yield return Case(none with { Heads = 4 }, (4, 3), (8, 6), 4, 12);
        yield return Case(plain with { Heads = 4, HeadValue = HeadValue.Shared }, (3, 3), (6, 6), 16, 4);

        // Channels above a vector, and rows that end inside one.
        yield return Case(plain, (3, 3), (6, 6), 20, 36);
        yield return Case(plain, (3, 19), (5, 24), 1, 2);
        yield return Case(sigmoid, (3, 35), (3, 35), 1, 1);
    }

    private static IEnumerable<OptionsCase> CreateLarge(BorderRule border)
    {
        var options = new WindowAttentionOptions { Window = 3, Border = border };
        yield return Case(options with { Window = 5 }, (5, 6), (10, 13), 68, 72);
        yield return Case(options, (4, 37), (7, 50), 20, 72);
        yield return Case(options with { Heads = 4 }, (3, 18), (6, 36), 32, 80);
        yield return Case(options with { Heads = 2, HeadValue = HeadValue.Shared }, (3, 33), (7, 40), 6, 21);

        // The largest ratio, and cells that own no query.
        yield return Case(options, (3, 3), (48, 48), 2, 4);
        yield return Case(options, (40, 33), (3, 2), 4, 8);
    }

    private static OptionsCase Case(
        WindowAttentionOptions options,
        (int Height, int Width) map,
        (int Height, int Width) output,
        int embeddingChannels,
        int valueChannels,
        int batch = 1) => new(
        new WindowShape(
            new MapShape(batch, embeddingChannels, map.Height, map.Width),
            valueChannels,
            output.Height,
            output.Width,
            options.Window),
        options);
}
