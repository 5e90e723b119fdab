using CsCheck;

namespace SapaGpu.Tests.Operators;

/// <summary>A random problem of cross-resolution attention.</summary>
public sealed record CrossProblem
{
    public required CrossRule Rule { get; init; }

    public required (int Batch, int Height, int Width) Map { get; init; }

    public required (int Height, int Width) Output { get; init; }

    public required (int Height, int Width) Window { get; init; }

    /// <summary>Gets the channels of a head.</summary>
    public required (int Key, int Value) Channels { get; init; }

    public required int Heads { get; init; }

    public required bool AveragesHeads { get; init; }

    public required bool HasBias { get; init; }

    public ScoreNormalisation Normalisation { get; init; } = ScoreNormalisation.Softmax;

    public required (MemoryFormat Query, MemoryFormat Key, MemoryFormat Value) Formats { get; init; }

    public required int Seed { get; init; }

    /// <summary>Gets problems of every kind.</summary>
    public static Gen<CrossProblem> All => Of(Gen.Enum<CrossRule>());

    /// <summary>Problems of given rules.</summary>
    public static Gen<CrossProblem> Of(Gen<CrossRule> rules)
    {
        var map = Gen.Select(Gen.Int[1, 2], Gen.Int[1, 7], Gen.Int[1, 9]);
        var output = Gen.Select(Gen.Int[1, 13], Gen.Int[1, 21]);
        var window = Gen.Select(Gen.Int[1, 6], Gen.Int[1, 9]);
        var channels = Gen.Select(Gen.OneOf(1, 2, 3, 4, 8, 17), Gen.OneOf(1, 2, 4, 5, 16, 36));
        var heads = Gen.Select(Gen.Int[1, 3], Gen.Bool, Gen.Bool, Gen.Enum<ScoreNormalisation>());
        var format = Gen.Enum<MemoryFormat>();
        var formats = Gen.Select(format, format, format);
        return Gen.Select(rules, map, output, window, channels, heads, formats, Gen.Int[0, 1000]).Select(
            (rule, size, points, taps, widths, choice, orders, seed) => new CrossProblem
            {
                Rule = rule,
                Map = size,
                Output = points,
                Window = taps,
                Channels = widths,
                Heads = choice.Item1,
                AveragesHeads = choice.Item2,
                HasBias = choice.Item3,
                Normalisation = choice.Item4,
                Formats = orders,
                Seed = seed,
            });
    }
}
