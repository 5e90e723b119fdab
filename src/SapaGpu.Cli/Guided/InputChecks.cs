using SapaGpu.Cli.Images;

namespace SapaGpu.Cli.Guided;

/// <summary>Checks the file names of a request before any file is read.</summary>
internal static class InputChecks
{
    /// <summary>
    /// Refuses results that would take the place of an input; only the map may be replaced by its own result.
    /// </summary>
    /// <exception cref="InvalidDataException">A result has the name of an input, or of the other result.</exception>
    /// <exception cref="ArgumentException">Standard input is named twice.</exception>
    public static void CheckNames(UpsampleRequest request)
    {
        var inputs = new (string Option, string? Path)[]
        {
            ("--guide", request.Guide), ("--truth", request.Truth), ("--input", request.Input),
        };
        var twice = inputs.Where(input => input.Path is { } path && InputFile.IsStandardInput(path)).ToList();
        if (twice.Count > 1)
        {
            throw new ArgumentException(
                $"{twice[0].Option} - and {twice[1].Option} -: standard input can be read once; name a file for " +
                "one of them.");
        }
        foreach (var (option, path) in inputs.Append(("--checkpoint", request.Model?.Checkpoint)))
        {
            if (option != "--input")
                Refuse("--output", request.Output, option, path);
            Refuse("--compare", request.Figure, option, path);
        }
        Refuse("--compare", request.Figure, "--output", request.Output);
    }

    private static void Refuse(string option, string? result, string otherOption, string? other)
    {
        if (result is null || other is null || InputFile.IsStandardInput(other) || OutputFile.IsStream(result))
            return;
        if (FilePath.AreSame(result, other))
        {
            throw new InvalidDataException(
                $"{result}: this is the file of {otherOption}, which would be overwritten; name another one for " +
                $"{option}.");
        }
    }
}
