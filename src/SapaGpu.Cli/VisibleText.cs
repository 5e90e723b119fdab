using System.Globalization;
using System.Text;

namespace SapaGpu.Cli;

/// <summary>Text of files, names and libraries as a terminal may show it.</summary>
internal static class VisibleText
{
    /// <summary>
    /// The text with escapes in place of what a terminal would obey: control characters, line breaks among them, and
    /// characters that turn the direction of writing or are no characters at all.
    /// </summary>
    public static string Of(string text)
    {
        if (!text.Any(IsHidden))
            return text;
        var visible = new StringBuilder(text.Length + 16);
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                visible.Append(text[i]).Append(text[++i]);
            else if (IsHidden(text[i]))
                visible.Append(Escape(text[i]));
            else
                visible.Append(text[i]);
        }
        return visible.ToString();
    }

    private static bool IsHidden(char character) => char.GetUnicodeCategory(character) is UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate;

    private static string Escape(char character) => character switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        <= '\xff' => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)character:x2}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
    };
}
