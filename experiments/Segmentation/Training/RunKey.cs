using System.Text.Json.Serialization;

namespace SapaGpu.Segmentation;

/// <summary>Which network is trained on what.</summary>
/// <param name="Dataset">The name of the data set.</param>
/// <param name="Operator">What upsamples.</param>
/// <param name="HasLaterals">Whether encoder features are added after every upsampling.</param>
/// <param name="Seed">What the first weights and the order of the images follow from.</param>
internal sealed record RunKey(string Dataset, UpsamplingOperator Operator, bool HasLaterals, int Seed)
{
    /// <summary>
    /// Gets the name of what is compared with each other: runs of a data set with the same network around.
    /// </summary>
    [JsonIgnore]
    public string Group => HasLaterals ? $"{Dataset}-skip" : Dataset;

    /// <inheritdoc/>
    public override string ToString() => $"{Group} {Operator.Id()} seed {Seed}";
}
