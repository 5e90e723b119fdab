using System.Text;

namespace SapaGpu.Checkpoints;

/// <summary>Prepares text from a file for error messages.</summary>
internal static class ShownText
{
    private const int MaximumLength = 100;

    /// <summary>The text in quotes, on one line, shortened if it is long.</summary>
    public static string Quoted(string text) =>
        $"'{OneLine(text.Length <= MaximumLength ? text : text[..MaximumLength] + "...")}'";

    /// <summary>The text with control characters and line separators replaced by spaces.</summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (char letter in text)
            line.Append(char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter);
        return line.ToString();
    }
}
