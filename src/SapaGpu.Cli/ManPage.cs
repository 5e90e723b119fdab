using System.CommandLine;
using System.Text;

namespace SapaGpu.Cli;

/// <summary>Writes the manual page of the tool in roff, with the macros of man(7).</summary>
internal static class ManPage
{
    private const string Summary = "guided upsampling of masks, labels, depth, images and features";

    /// <summary>The page: every command with its arguments and options, as the help has them.</summary>
    public static string Write(RootCommand root)
    {
        var version = typeof(ManPage).Assembly.GetName().Version!;
        var page = new StringBuilder();
        page.Append($".TH {Tool.Name.ToUpperInvariant()} 1 \"\" \"{Tool.Name} {version.ToString(3)}\" \"User Commands\"\n");
        Section(page, "NAME");
        page.Append($"{Tool.Name} \\- {Escape(Summary)}\n");
        Section(page, "SYNOPSIS");
        foreach (var command in root.Subcommands.Where(command => !command.Hidden))
        {
            page.Append($".B {Tool.Name} {Escape(command.Name)}\n");
            page.Append(string.Concat(command.Arguments.Select(argument => $".I {Escape(argument.Name)}\n")));
            page.Append(command.Options.Count > 0 ? "[\\fIoptions\\fR]\n.br\n" : ".br\n");
        }
        Section(page, "DESCRIPTION");
        Text(page, root.Description);
        Section(page, "OPTIONS");
        foreach (var option in root.Options)
            Describe(page, option);
        foreach (var command in root.Subcommands.Where(command => !command.Hidden))
        {
            Section(page, $"{Tool.Name} {command.Name}".ToUpperInvariant());
            Text(page, command.Description);
            foreach (var argument in command.Arguments)
            {
                page.Append($".TP\n.I {Escape(argument.Name)}\n");
                Text(page, argument.Description);
            }
            foreach (var option in command.Options.Where(option => !option.Hidden))
                Describe(page, option);
        }
        Section(page, "EXIT STATUS");
        foreach (var (code, meaning) in ExitCode.Meanings)
            page.Append($".TP\n.B {code}\n{Escape(meaning)}\n");
        return page.ToString();
    }

    private static void Section(StringBuilder page, string title) => page.Append($".SH \"{Escape(title)}\"\n");

    private static void Describe(StringBuilder page, Option option)
    {
        var names = option.Aliases.Prepend(option.Name).Order().Select(name => $"\\fB{Escape(name)}\\fR");
        page.Append($".TP\n{string.Join(", ", names)}{Value(option)}\n");
        Text(page, option.Description + (option.Required ? " Required." : string.Empty));
    }

    private static string Value(Option option)
    {
        if (option.ValueType == typeof(bool) || option.ValueType == typeof(void))
            return string.Empty;
        var values = option.GetCompletions(System.CommandLine.Completions.CompletionContext.Empty)
            .Select(item => item.Label).ToList();
        string value = values.Count > 0 ? string.Join('|', values) : option.HelpName ?? "value";
        string more = option.Arity.MaximumNumberOfValues > 1 ? " ..." : string.Empty;
        string text = $"\\fI{Escape(value)}\\fR{more}";
        return option.Arity.MinimumNumberOfValues == 0 ? $" [{text}]" : $" {text}";
    }

    private static void Text(StringBuilder page, string? text)
    {
        if (!string.IsNullOrWhiteSpace(text))
            page.Append(Escape(text.Trim())).Append('\n');
    }

    /// <summary>Text as it is: hyphens that can be copied, and no line that begins with a request.</summary>
    private static string Escape(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        var lines = escaped.Split('\n', StringSplitOptions.TrimEntries);
        return string.Join('\n', lines.Select(line => line.StartsWith('.') || line.StartsWith('\'') ? "\\&" + line : line));
    }
}
