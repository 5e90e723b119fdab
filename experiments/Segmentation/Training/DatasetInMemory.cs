namespace SapaGpu.Segmentation;

/// <summary>The splits of a data set that runs need, and what is derived from the training split.</summary>
internal sealed class DatasetInMemory
{
    /// <summary>Reads the splits.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="imageLimit">The most images of a split; null for all.</param>
    /// <param name="needsValidation">Whether the validation split is needed.</param>
    public DatasetInMemory(SegmentationDataset dataset, int? imageLimit, bool needsValidation)
    {
        Name = dataset.Name;
        Classes = dataset.Description.Classes;
        Train = dataset.Load(SegmentationDataset.Train, imageLimit);
        Test = dataset.Load(SegmentationDataset.Test, imageLimit);
        Validation = needsValidation ? dataset.Load(SegmentationDataset.Validation, imageLimit) : null;
        Statistics = ChannelStatistics.Of(Train);
        ClassWeights = Segmentation.ClassWeights.Balance(Train, Classes.Count);
    }

    /// <summary>Gets the name of the data set.</summary>
    public string Name { get; }

    /// <summary>Gets the names of the classes without void.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Gets what is trained on.</summary>
    public ImageSet Train { get; }

    /// <summary>Gets what results are given for.</summary>
    public ImageSet Test { get; }

    /// <summary>Gets what is only looked at while training, if asked for.</summary>
    public ImageSet? Validation { get; }

    /// <summary>Gets what images are normalised with.</summary>
    public ChannelStatistics Statistics { get; }

    /// <summary>Gets the weights of the classes in the loss.</summary>
    public IReadOnlyList<float> ClassWeights { get; }
}
