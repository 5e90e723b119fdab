using System.Globalization;

namespace SapaGpu.Fuzz.Running;

/// <summary>What a campaign is asked for.</summary>
internal sealed record CampaignSettings
{
    public required string Campaign { get; init; }

    public required long Seed { get; init; }

    public double Seconds { get; init; } = 10;

    /// <summary>Gets the most cases that are run.</summary>
    public long Cases { get; init; } = long.MaxValue;

    /// <summary>Gets the number of the first case.</summary>
    public long First { get; init; }

    public string Device { get; init; } = "cpu";

    public bool IsGpu => Device != "cpu";

    /// <summary>The arguments that run one case again.</summary>
    public string Reproduce(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{Campaign} --device {Device} --seed {Seed} --case {number}");
}
