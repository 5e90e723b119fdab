using CsCheck;

namespace SapaGpu.Tests.Operators;

/// <summary>A random resampling or copy: sizes, formats and what lies around the maps.</summary>
public sealed record ResamplingProblem(
    MapShape Input,
    int OutputHeight,
    int OutputWidth,
    InterpolationMode Mode,
    bool AlignCorners,
    MemoryFormat From,
    MemoryFormat To,
    Surroundings AroundSource,
    Surroundings AroundResult,
    int VectorBits,
    int Seed)
{
    // Axes of any two lengths, and axes that are doubled, whose ends fall before, on and behind the ends of vectors.
    private static readonly Gen<(int Input, int Output)> Axis = Gen.OneOf(
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40]),
        Gen.OneOf(1, 2, 3, 15, 16, 17, 31, 33).Select(input => (input, 2 * input)));

    private static readonly Gen<int> Channels = Gen.OneOf(Gen.Int[1, 70], Gen.OneOf(1, 4, 5, 8, 16, 19, 32, 64, 70));

    private static readonly Gen<Surroundings> Around =
        Gen.Select(Gen.Int[0, 1], Gen.OneOf(0, 0, 1, 3), Gen.OneOf(0, 0, 2), Gen.OneOf(0, 0, 1, 5))
            .Select(room => new Surroundings(room.Item1, room.Item2, room.Item3, room.Item4));

    private static readonly Gen<(InterpolationMode, bool)> Modes = Gen.OneOf(
        (InterpolationMode.Nearest, false), (InterpolationMode.Bilinear, false), (InterpolationMode.Bilinear, true));

    public static Gen<ResamplingProblem> All => Gen.Select(
        Gen.Select(Gen.Int[1, 2], Channels, Axis, Axis),
        Modes,
        Gen.Select(Gen.Enum<MemoryFormat>(), Gen.Enum<MemoryFormat>()),
        Gen.Select(Around, Around),
        Gen.OneOf(128, 256, 512),
        Gen.Int[0, 1000],
        (sizes, mode, formats, around, bits, seed) => new ResamplingProblem(
            new MapShape(sizes.Item1, sizes.Item2, sizes.Item3.Input, sizes.Item4.Input),
            sizes.Item3.Output,
            sizes.Item4.Output,
            mode.Item1,
            mode.Item2,
            formats.Item1,
            formats.Item2,
            around.Item1,
            around.Item2,
            bits,
            seed));

    public MapShape Output => new(Input.Batch, Input.Channels, OutputHeight, OutputWidth);
}
