namespace SapaGpu.Tests.Modules;

/// <summary>Modules on maps of many tiles, with channels that fill no whole vectors.</summary>
public static class LargerCases
{
    private static readonly Dictionary<string, Func<ModuleCase>> Makers = new()
    {
        ["inner product"] = () => Sapa(Similarity.InnerProduct, FeatureNormKind.Layer, new(2, 11, 19, 22, 38)),
        ["bilinear"] = () => Sapa(Similarity.Bilinear, FeatureNormKind.Group, new(2, 11, 19, 31, 45)),
        ["gated"] = () => Sapa(Similarity.GatedBilinear, FeatureNormKind.Layer, new(2, 11, 19, 31, 45)),
        ["concatenated"] = () => Sapa(Similarity.Concatenated, FeatureNormKind.Group, new(2, 11, 19, 22, 38)),
        ["points"] = () => DeformableCase.Of<float>(
            new SapaDeformableOptions
            {
                EncoderChannels = 18,
                DecoderChannels = 12,
                EmbeddingChannels = 7,
                Points = 5,
                FeatureNorm = FeatureNormKind.Group,
                NormGroups = 6,
            },
            2,
            13,
            19),
        ["carafe"] = () => CarafeCase.Of<float>(
            new CarafeOptions { Channels = 22, CompressedChannels = 19, Groups = 2, EncoderKernel = 5 }, 2, 11, 19),
    };

    /// <summary>Gets the names of the cases.</summary>
    public static IEnumerable<string> Names => Makers.Keys;

    /// <summary>Makes a case.</summary>
    public static ModuleCase Make(string name) => Makers[name]();

    private static SapaCase Sapa(Similarity similarity, FeatureNormKind norm, SapaSizes sizes) => SapaCase.Of<float>(
        new SapaOptions
        {
            Similarity = similarity,
            FeatureNorm = norm,
            EncoderChannels = similarity == Similarity.InnerProduct ? 60 : 36,
            DecoderChannels = 60,
            EmbeddingChannels = 33,
            ValueChannels = 21,
            NormGroups = 12,
        },
        sizes);
}
