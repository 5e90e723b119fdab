using System.Globalization;
using System.Text.RegularExpressions;

namespace SapaGpu.Cli.Guided.Batch;

/// <summary>File names with a number, such as <c>frames/%04d.png</c>.</summary>
internal sealed partial class FramePattern
{
    // More digits than a number of frames can have.
    private const int MostDigits = 18;

    private readonly string before;
    private readonly string after;
    private readonly int digits;

    private FramePattern(string folder, string before, string after, int digits)
    {
        Folder = folder;
        this.before = before;
        this.after = after;
        this.digits = digits;
    }

    /// <summary>The folder of the files; empty for the current one.</summary>
    public string Folder { get; }

    /// <summary>Reads a pattern; null if the name has no number, or several.</summary>
    public static FramePattern? TryParse(string text)
    {
        string name = Path.GetFileName(text);
        var matches = NumberFormat().Matches(name);
        if (matches.Count != 1)
            return null;
        var match = matches[0];
        int digits = match.Groups[1].Length == 0 ? 1 : int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return digits > MostDigits ? null : new FramePattern(
            text[..^name.Length], name[..match.Index], name[(match.Index + match.Length)..], Math.Max(1, digits));
    }

    /// <summary>The file of a number.</summary>
    public string NameOf(long number) =>
        Path.Combine(Folder, before + number.ToString($"D{digits}", CultureInfo.InvariantCulture) + after);

    /// <summary>The number of a file name without its folder; null if it does not match.</summary>
    public long? NumberOf(string name)
    {
        bool fits = name.Length > before.Length + after.Length
            && name.StartsWith(before, StringComparison.Ordinal)
            && name.EndsWith(after, StringComparison.Ordinal);
        string text = fits ? name[before.Length..^after.Length] : string.Empty;
        return text.Length is > 0 and <= MostDigits && text.All(char.IsAsciiDigit)
            && long.Parse(text, CultureInfo.InvariantCulture) is var number && Path.GetFileName(NameOf(number)) == name
            ? number
            : null;
    }

    [GeneratedRegex("%0?([0-9]{0,3})d")]
    private static partial Regex NumberFormat();
}
