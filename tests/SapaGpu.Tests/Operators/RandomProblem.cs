using CsCheck;

namespace SapaGpu.Tests.Operators;

/// <summary>
/// A window problem with its choices, drawn by a generator: sizes, options, the format of every operand, and the room
/// around each of them, for operands are views of larger tensors.
/// </summary>
public sealed record RandomProblem
{
    public required WindowAttentionOptions Options { get; init; }

    public required (int Batch, int Height, int Width) Map { get; init; }

    public required (int Height, int Width) Output { get; init; }

    /// <summary>Gets the channels of a head.</summary>
    public required (int Embedding, int Value) Channels { get; init; }

    public required (MemoryFormat Query, MemoryFormat Key, MemoryFormat Value) Formats { get; init; }

    /// <summary>Gets the rows, columns and channels before an operand in the tensor that it is a view of.</summary>
    public required int Room { get; init; }

    public required int Seed { get; init; }

    /// <summary>Gets problems of every kind.</summary>
    public static Gen<RandomProblem> All => Of(Gen.Enum<BorderRule>(), Gen.Enum<ScoreNormalisation>());

    /// <summary>Problems with given borders and normalisations.</summary>
    public static Gen<RandomProblem> Of(Gen<BorderRule> borders, Gen<ScoreNormalisation> normalisations)
    {
        var options = Gen.Select(
            Gen.OneOf(1, 3, 3, 5, 7),
            borders,
            normalisations,
            Gen.Int[1, 3],
            Gen.Enum<HeadValue>(),
            (window, border, normalisation, heads, headValue) => new WindowAttentionOptions
            {
                Window = window,
                Border = border,
                Normalisation = normalisation,
                Heads = heads,
                HeadValue = headValue,
            });
        var sizes = Gen.Select(Gen.Int[1, 2], Gen.Int[1, 8], Gen.Int[1, 20]);
        var output = Gen.Select(Gen.Int[1, 18], Gen.Int[1, 24]);
        var channels = Gen.Select(Gen.OneOf(1, 2, 3, 4, 8, 16, 17, 32), Gen.OneOf(1, 2, 4, 5, 16, 36, 48));
        var format = Gen.Enum<MemoryFormat>();
        var formats = Gen.Select(format, format, format);
        var views = Gen.Select(Gen.OneOf(0, 0, 1, 4), Gen.Int[0, 1000]);
        return Gen.Select(options, sizes, output, channels, formats, views, Create);
    }

    public OptionsCase ToCase()
    {
        int valueChannels = Options.HeadValue == HeadValue.Split ? Options.Heads * Channels.Value : Channels.Value;
        var key = new MapShape(Map.Batch, Options.Heads * Channels.Embedding, Map.Height, Map.Width);
        return new OptionsCase(
            new WindowShape(key, valueChannels, Output.Height, Output.Width, Options.Window), Options, Seed);
    }

    private static RandomProblem Create(
        WindowAttentionOptions options,
        (int Batch, int Height, int Width) map,
        (int Height, int Width) output,
        (int Embedding, int Value) channels,
        (MemoryFormat Query, MemoryFormat Key, MemoryFormat Value) formats,
        (int Room, int Seed) views)
    {
        int least = options.Border == BorderRule.Shifted ? options.Window : 1;
        map = map with { Height = Math.Max(least, map.Height), Width = Math.Max(least, map.Width) };
        return new RandomProblem
        {
            Options = options,
            Map = map,
            Output = (
                Math.Min(output.Height, OperatorSupport.MaximumScale * map.Height),
                Math.Min(output.Width, OperatorSupport.MaximumScale * map.Width)),
            Channels = channels,
            Formats = formats,
            Room = views.Room,
            Seed = views.Seed,
        };
    }
}
