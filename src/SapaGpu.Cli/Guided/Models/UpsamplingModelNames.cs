namespace SapaGpu.Cli.Guided.Models;

/// <summary>The names of the models.</summary>
internal static class UpsamplingModelNames
{
    /// <summary>The name on the command line and in reports.</summary>
    public static string Name(this UpsamplingModel model) => model.ToString().ToLowerInvariant();

    /// <summary>The name in captions and messages.</summary>
    public static string Title(this UpsamplingModel model) => model == UpsamplingModel.Naf ? "NAF" : "AnyUp";
}
