using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace SapaGpu.Cli;

/// <summary>
/// Options whose values are numbers, written with a decimal point in every culture; <c>inf</c>, <c>-inf</c> and
/// <c>nan</c> are numbers, in capitals or not.
/// </summary>
internal static class NumberOption
{
    /// <summary>An option for one number.</summary>
    /// <param name="name">The name of the option.</param>
    /// <param name="requirement">What the number must be, as a sentence for messages.</param>
    /// <param name="convert">The value of a number; null if the number does not meet the requirement.</param>
    public static Option<T?> One<T>(string name, string requirement, Func<double, T?> convert)
        where T : struct => new(name)
        {
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!TryParse(result, name, text, out double number))
                    return null;
                var value = convert(number);
                if (value is null)
                    result.AddError($"{name} {text}: {requirement}");
                return value;
            },
        };

    /// <summary>An option for a whole number from 1 on.</summary>
    public static Option<int?> Count(string name)
    {
        var option = One<int>(
            name,
            "this must be a whole number from 1 on.",
            number => number is >= 1 and <= int.MaxValue && number % 1 == 0 ? (int)number : null);
        option.HelpName = "number";
        return option;
    }

    /// <summary>An option for any number that may be given more than once.</summary>
    public static Option<double[]> Many(string name) => new(name)
    {
        CustomParser = result =>
        [
            .. result.Tokens.Select(token => TryParse(result, name, token.Value, out double number) ? number : 0),
        ],
    };

    /// <summary>Reads a number.</summary>
    public static bool TryParse(string text, out double number)
    {
        switch (text.Trim().ToUpperInvariant())
        {
            case "INF" or "+INF":
                number = double.PositiveInfinity;
                return true;
            case "-INF":
                number = double.NegativeInfinity;
                return true;
        }
        // Digits that are too many for the type are no way to write infinity.
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)
            && !(double.IsInfinity(number) && text.Any(char.IsAsciiDigit));
    }

    private static bool TryParse(ArgumentResult result, string name, string text, out double number)
    {
        if (TryParse(text, out number))
            return true;
        string pointed = text.Replace(',', '.');
        result.AddError(
            !text.Contains(',') ? $"{name} {text}: this is not a number; write one such as 0.05."
            : TryParse(pointed, out _) ? $"{name} {text}: write a decimal point, not a comma: {pointed}."
            : $"{name} {text}: this is not a number; write a decimal point and no other separators, as in 0.05.");
        return false;
    }
}
