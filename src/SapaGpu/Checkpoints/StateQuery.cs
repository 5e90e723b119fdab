namespace SapaGpu.Checkpoints;

/// <summary>What is wanted of a checkpoint.</summary>
/// <param name="Prefix">How the names begin; it is removed from them.</param>
/// <param name="Expected">
/// The names that are expected behind the prefix, which tell dictionaries apart; empty if they are not known.
/// </param>
internal sealed record StateQuery(string Prefix, IReadOnlyCollection<string> Expected)
{
    /// <summary>Gets the query for the state_dict of a checkpoint, whatever it has.</summary>
    public static StateQuery Everything { get; } = new(string.Empty, []);
}
