using SapaGpu.Fuzz.Campaigns;

namespace SapaGpu.Fuzz.Running;

/// <summary>The campaigns by name.</summary>
internal static class CampaignCatalogue
{
    private static readonly Dictionary<string, Func<CampaignSettings, Campaign>> Makers = new()
    {
        ["operators"] = settings => new OperatorsCampaign(settings),
        ["values"] = settings => new ValuesCampaign(settings),
        ["determinism"] = settings => new DeterminismCampaign(settings),
        ["concurrency"] = _ => new ConcurrencyCampaign(),
        ["memory"] = _ => new MemoryCampaign(),
        ["files"] = _ => new FilesCampaign(),
        ["misuse"] = _ => new MisuseCampaign(),
    };

    public static IEnumerable<string> Names => Makers.Keys;

    /// <summary>The campaigns that compare a device with the reference, and run on a GPU too.</summary>
    public static IReadOnlyList<string> OnGpus { get; } = ["operators", "values"];

    public static Campaign Create(CampaignSettings settings) => settings.Campaign == HashesCampaign.Name
        ? new HashesCampaign()
        : Makers[settings.Campaign](settings);
}
