namespace SapaGpu.Segmentation;

/// <summary>What is trained: every operator on every data set with every seed.</summary>
/// <param name="Datasets">The data sets.</param>
/// <param name="Operators">The operators.</param>
/// <param name="Seeds">The seeds.</param>
/// <param name="HasLaterals">Whether encoder features are added after every upsampling.</param>
/// <param name="Settings">How every network is trained.</param>
/// <param name="EvaluateEvery">After how many epochs the validation split is scored; 0 for never.</param>
/// <param name="Output">The folder of the runs.</param>
internal sealed record Experiment(
    IReadOnlyList<SegmentationDataset> Datasets,
    IReadOnlyList<UpsamplingOperator> Operators,
    IReadOnlyList<int> Seeds,
    bool HasLaterals,
    TrainingSettings Settings,
    int EvaluateEvery,
    string Output)
{
    /// <summary>
    /// Gets the runs in order: all operators with the first seed before the second, so that a table of what is finished
    /// compares like with like.
    /// </summary>
    public IReadOnlyList<RunKey> Runs =>
    [
        .. from seed in Seeds
           from dataset in Datasets
           from kind in Operators
           select new RunKey(dataset.Name, kind, HasLaterals, seed),
    ];

    /// <summary>Trains what is not trained yet.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Execute(ITrainingObserver observer, CancellationToken cancellation)
    {
        var inMemory = Datasets.ToDictionary(
            dataset => dataset.Name,
            dataset => new Lazy<DatasetInMemory>(
                () => new DatasetInMemory(dataset, Settings.ImageLimit, EvaluateEvery > 0)));
        foreach (var key in Runs)
        {
            var run = new TrainingRun(key, Settings, inMemory[key.Dataset].Value, Output, observer)
            {
                EvaluateEvery = EvaluateEvery,
            };
            run.Execute(cancellation);
        }
    }
}
