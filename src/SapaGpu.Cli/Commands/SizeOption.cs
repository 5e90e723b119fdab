using System.CommandLine;
using System.Globalization;
using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Commands;

/// <summary>Options whose values are sizes in pixels, width first, such as 640x480.</summary>
internal static class SizeOption
{
    /// <summary>An option for one size.</summary>
    public static Option<ImageSize?> One(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "WxH",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            var parts = text.Split('x', 'X');
            if (parts.Length == 2 && TryParse(parts[0], out int width) && TryParse(parts[1], out int height))
                return new ImageSize(height, width);
            result.AddError($"{name} {text}: write the width and the height in pixels, as in 640x480.");
            return null;
        },
    };

    private static bool TryParse(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}
