using SapaGpu.Onnx;

namespace SapaGpu.Cli.Commands;

/// <summary>What a command line of <c>sapagpu export</c> asks for; null is what was not given.</summary>
internal sealed record ExportRequest(
    string Checkpoint, string Module, string Output, string? Prefix, bool IsNarrow, int? Window, BorderRule? Border,
    ScoreNormalisation? Normalisation, FeatureNormKind? FeatureNorm, int? NormGroups, double? Epsilon, OnnxRatio? Ratio,
    int? Groups, int? Points, int? Dilation)
{
    /// <summary>Checks that every option that was given means something to the module.</summary>
    /// <exception cref="ArgumentException">An option belongs to another module.</exception>
    public void Check(ModuleKind module)
    {
        const ModuleKind Sapa = ModuleKind.Sapa, Deformable = ModuleKind.Deformable, Carafe = ModuleKind.Carafe;
        (string Name, bool IsGiven, ModuleKind Modules)[] own =
        [
            (ExportOptions.WindowName, Window is not null, Sapa | Carafe),
            (ExportOptions.BorderName, Border is not null, Sapa),
            (ExportOptions.NormalisationName, Normalisation is not null, Sapa),
            (ExportOptions.FeatureNormName, FeatureNorm is not null, Sapa | Deformable),
            (ExportOptions.NormGroupsName, NormGroups is not null, Sapa | Deformable),
            (ExportOptions.EpsilonName, Epsilon is not null, Sapa | Deformable),
            (ExportOptions.RatioName, Ratio is not null, Sapa),
            (ExportOptions.GroupsName, Groups is not null, Deformable | Carafe),
            (ExportOptions.PointsName, Points is not null, Deformable),
            (ExportOptions.DilationName, Dilation is not null, Carafe),
        ];
        foreach (var option in own)
        {
            if (option.IsGiven && !option.Modules.HasFlag(module))
                throw new ArgumentException($"{option.Name} means nothing to {Module}; leave it out.");
        }
    }
}
