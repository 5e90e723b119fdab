namespace SapaGpu.Segmentation;

/// <summary>
/// Runs that may be compared: the same data, the same network around the upsampler, the same settings.
/// </summary>
/// <param name="Name">The name of the data set, and whether encoder features are added.</param>
/// <param name="Settings">How all of them were trained.</param>
/// <param name="Operators">The runs of every operator.</param>
internal sealed record ResultGroup(
    string Name, TrainingSettings Settings, IReadOnlyList<OperatorResults> Operators)
{
    /// <summary>Gets a line that says what is compared.</summary>
    public string Title
    {
        get
        {
            string images = Settings.ImageLimit is { } limit ? $", {limit} images of every split" : "";
            return FormattableString.Invariant(
                $"{Name}: {Settings.Epochs} epochs, batch {Settings.Batch}, learning rate {Settings.LearningRate}, windows of {Settings.Window}{images}");
        }
    }

    /// <summary>Gets the names of the classes.</summary>
    public IReadOnlyList<string> Classes => Operators[0].Runs[0].Classes;

    /// <summary>Puts runs into groups.</summary>
    public static IReadOnlyList<ResultGroup> Of(IEnumerable<RunResult> results) =>
    [
        .. from result in results
           group result by (result.Key.Group, result.Settings) into comparable
           select new ResultGroup(comparable.Key.Group, comparable.Key.Settings, OperatorResults.Of(comparable)),
    ];
}
