using SapaGpu.Onnx;

namespace SapaGpu.Cli.Commands;

/// <summary>What a command line of <c>sapagpu export</c> asks for; null is what was not given.</summary>
internal sealed record ExportRequest(
    string Checkpoint, string Module, string Output, string? Prefix, bool IsNarrow, int? Window, BorderRule? Border,
    ScoreNormalisation? Normalisation, FeatureNormKind? FeatureNorm, int? NormGroups, double? Epsilon, OnnxRatio? Ratio,
    int? Groups, int? Dilation)
{
    /// <summary>Checks that every option that was given means something to the module.</summary>
    /// <exception cref="ArgumentException">An option belongs to another module.</exception>
    public void Check(bool isCarafe)
    {
        (string Name, bool IsGiven, bool IsCarafe)[] own =
        [
            (ExportOptions.BorderName, Border is not null, false),
            (ExportOptions.NormalisationName, Normalisation is not null, false),
            (ExportOptions.FeatureNormName, FeatureNorm is not null, false),
            (ExportOptions.NormGroupsName, NormGroups is not null, false),
            (ExportOptions.EpsilonName, Epsilon is not null, false),
            (ExportOptions.RatioName, Ratio is not null, false),
            (ExportOptions.GroupsName, Groups is not null, true),
            (ExportOptions.DilationName, Dilation is not null, true),
        ];
        foreach (var option in own)
        {
            if (option.IsGiven && option.IsCarafe != isCarafe)
                throw new ArgumentException($"{option.Name} means nothing to {Module}; leave it out.");
        }
    }
}
