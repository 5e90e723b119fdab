using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>Normalisation and projection of a map with the parameters of a module.</summary>
internal static class Projections
{
    /// <summary>The normalised map; the map itself without normalisation.</summary>
    /// <param name="module">The module with the parameters.</param>
    /// <param name="norm">The name of the normalisation.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="groups">The groups of GroupNorm.</param>
    /// <param name="epsilon">The number that is added to the variance.</param>
    /// <param name="map">The map.</param>
    public static torch.Tensor Normalise(
        torch.nn.Module module, string norm, FeatureNormKind kind, int groups, double epsilon, torch.Tensor map) =>
        kind == FeatureNormKind.None
            ? map
            : SapaFunctional.FeatureNorm(
                map,
                module.Required($"{norm}.weight"),
                module.Required($"{norm}.bias"),
                kind == FeatureNormKind.Group ? groups : 0,
                epsilon);

    /// <summary>The projection of a map without further normalisation.</summary>
    public static torch.Tensor Project(torch.nn.Module module, string layer, torch.Tensor map) =>
        SapaFunctional.Projection(map, module.Required($"{layer}.weight"), module.Optional($"{layer}.bias"));

    /// <summary>The projection of a map after LayerNorm, in one pass.</summary>
    public static torch.Tensor NormaliseAndProject(
        torch.nn.Module module, string norm, double epsilon, torch.Tensor weight, torch.Tensor? bias, torch.Tensor map) =>
        SapaFunctional.Projection(
            map, weight, bias, module.Required($"{norm}.weight"), module.Required($"{norm}.bias"), epsilon);
}
