using System.CommandLine;
using SapaGpu.Onnx;

namespace SapaGpu.Cli.Commands;

/// <summary>The options of <c>sapagpu export</c>.</summary>
internal sealed class ExportOptions
{
    public const string WindowName = "--window";
    public const string BorderName = "--border";
    public const string NormalisationName = "--normalisation";
    public const string FeatureNormName = "--feature-norm";
    public const string NormGroupsName = "--norm-groups";
    public const string EpsilonName = "--epsilon";
    public const string RatioName = "--ratio";
    public const string GroupsName = "--groups";
    public const string PointsName = "--points";
    public const string DilationName = "--dilation";

    private static readonly Dictionary<string, FeatureNormKind> FeatureNorms = new()
    {
        ["layer"] = FeatureNormKind.Layer,
        ["group"] = FeatureNormKind.Group,
        ["none"] = FeatureNormKind.None,
    };

    private static readonly Dictionary<string, OnnxRatio> Ratios = new()
    {
        ["any"] = OnnxRatio.Any,
        ["integer"] = OnnxRatio.Integer,
    };

    private readonly Option<string> checkpoint = new("--checkpoint", "-c")
    {
        Description = "The checkpoint: .pth of PyTorch, whose pickle is read and never run, or .safetensors.",
        HelpName = "file",
        Required = true,
    };

    private readonly Option<string> module = new("--module", "-m")
    {
        Description = "The module that the parameters are those of.",
        Required = true,
    };

    private readonly Option<string> output = new("--output", "-o")
    {
        Description = "The ONNX file; - is standard output.",
        HelpName = "file",
        Required = true,
    };

    private readonly Option<string?> prefix = new("--prefix")
    {
        Description = "How the names of the module's parameters in the checkpoint begin, with the last dot, as in " +
            "'decode_head.up1.'",
        HelpName = "text",
    };

    private readonly Option<string> type = new("--dtype")
    {
        Description = "The element type of the file's maps, f32 or f16; parameters are f32.",
        DefaultValueFactory = _ => ElementType.Float32.ShortName(),
    };

    private readonly Option<int?> window = NumberOption.One<int>(
        WindowName,
        $"the width must be an odd number from 1 to {OperatorSupport.MaximumWindow}.",
        cells => cells is >= 1 and <= OperatorSupport.MaximumWindow && cells % 2 == 1 ? (int)cells : null);

    private readonly Option<string?> border = new(BorderName)
    {
        Description = "How taps outside the map count, of sapa-i, -b, -g and -cat. Default: zero_logit.",
    };

    private readonly Option<string?> normalisation = new(NormalisationName)
    {
        Description = "How scores become weights, of sapa-i, -b, -g and -cat. Default: softmax.",
    };

    private readonly Option<string?> featureNorm = new(FeatureNormName)
    {
        Description = "The normalisation of the features, not of carafe. Default: what the shapes in the checkpoint say.",
    };

    private readonly Option<int?> normGroups = Count(
        NormGroupsName, "The number of groups of --feature-norm group. Default: 32.");

    private readonly Option<double?> epsilon = NumberOption.One<double>(
        EpsilonName,
        "epsilon must be a finite number of at least 0.",
        number => number >= 0 && double.IsFinite(number) ? number : null);

    private readonly Option<string?> ratio = new(RatioName)
    {
        Description = "Between which sizes the file upsamples, of sapa-i, -b, -g and -cat: any two, or integer, to whole " +
            "multiples only, which needs no node If. Default: any.",
    };

    private readonly Option<int?> groups = Count(
        GroupsName, "The number of groups of channels, of sapa-d and carafe. Default: 4 and 1.");

    private readonly Option<int?> points = Count(PointsName, "Of sapa-d, the number of points of a group. Default: 9.");

    private readonly Option<int?> dilation = Count(DilationName, "Of carafe, the dilation of the content encoder. Default: 1.");

    /// <summary>Completes the options.</summary>
    /// <param name="modules">The names of modules.</param>
    public ExportOptions(string[] modules)
    {
        module.AcceptOnlyFromAmong(modules);
        type.AcceptOnlyFromAmong(ElementType.Float32.ShortName(), ElementType.Float16.ShortName());
        border.AcceptOnlyFromAmong([.. WindowOperators.Borders.Select(pair => pair.Name)]);
        normalisation.AcceptOnlyFromAmong([.. WindowOperators.Normalisations.Select(pair => pair.Name)]);
        featureNorm.AcceptOnlyFromAmong([.. FeatureNorms.Keys]);
        ratio.AcceptOnlyFromAmong([.. Ratios.Keys]);
        window.Description =
            $"The width of the window in cells, odd, from 1 to {OperatorSupport.MaximumWindow}, not of sapa-d. Default: 5.";
        window.HelpName = "cells";
        epsilon.Description = "What the normalisation adds to the variance, not of carafe. Default: 0.00001.";
        epsilon.HelpName = "number";
    }

    /// <summary>All options in the order of the help.</summary>
    public IReadOnlyList<Option> All =>
    [
        checkpoint, module, output, prefix, type, window, border, normalisation, featureNorm, normGroups, epsilon, ratio, groups,
        points, dilation,
    ];

    /// <summary>The request of a command line.</summary>
    public ExportRequest Read(ParseResult result) => new(
        result.GetRequiredValue(checkpoint),
        result.GetRequiredValue(module),
        result.GetRequiredValue(output),
        result.GetValue(prefix),
        result.GetValue(type) == ElementType.Float16.ShortName(),
        result.GetValue(window),
        ValueOf(WindowOperators.Borders, result.GetValue(border)),
        ValueOf(WindowOperators.Normalisations, result.GetValue(normalisation)),
        result.GetValue(featureNorm) is { } norm ? FeatureNorms[norm] : null,
        result.GetValue(normGroups),
        result.GetValue(epsilon),
        result.GetValue(ratio) is { } ratioName ? Ratios[ratioName] : null,
        result.GetValue(groups),
        result.GetValue(points),
        result.GetValue(dilation));

    private static T? ValueOf<T>(IReadOnlyList<(string Name, T Value)> values, string? name)
        where T : struct => name is null ? null : values.Single(pair => pair.Name == name).Value;

    private static Option<int?> Count(string name, string description)
    {
        var option = NumberOption.Count(name);
        option.Description = description;
        return option;
    }
}
