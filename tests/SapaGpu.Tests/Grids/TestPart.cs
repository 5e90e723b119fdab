using System.Globalization;

namespace SapaGpu.Tests.Grids;

/// <summary>
/// Which part of the exhaustive grids this run takes. What is slow and alike from case to case is run in turns: the
/// environment variable SAPAGPU_TEST_PART names the turn by a number, 0 without it; "all" runs everything.
/// </summary>
public static class TestPart
{
    /// <summary>The category of the tests that are run in turns.</summary>
    public const string Category = "Exhaustive";

    private const string Variable = "SAPAGPU_TEST_PART";

    private static readonly int? Turn = Read(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Gets whether this run leaves nothing out.</summary>
    public static bool IsWhole => Turn is null;

    /// <summary>The cases of this run, every so many-th one; any run of as many turns takes each once.</summary>
    public static IEnumerable<T> Of<T>(IEnumerable<T> cases, int turns) => cases.Where((_, i) => Includes(i, turns));

    /// <summary>Whether a case is in this run, where so many turns take all.</summary>
    public static bool Includes(int index, int turns) => Turn is not { } turn || (index + turn) % turns == 0;

    // The number may be that of a day.
    private static int? Read(string? text) => text switch
    {
        "all" => null,
        null or "" => 0,
        _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int turn) => turn,
        _ => throw new InvalidOperationException($"{Variable} is a number from 0 or \"all\"; got \"{text}\"."),
    };
}
