using TorchSharp;

namespace SapaGpu.Segmentation;

/// <summary>Draws what the networks of some runs make of test images.</summary>
internal sealed class FigureWriter
{
    private readonly SegmentationDataset dataset;
    private readonly ImageSet images;
    private readonly IReadOnlyList<RunResult> runs;
    private readonly string output;

    /// <summary>Prepares the figures of runs.</summary>
    /// <param name="dataset">The data set of the runs.</param>
    /// <param name="images">The images, a row for each.</param>
    /// <param name="runs">Finished runs, a column for each.</param>
    /// <param name="output">The folder of the runs, which the figures are written to.</param>
    public FigureWriter(SegmentationDataset dataset, ImageSet images, IReadOnlyList<RunResult> runs, string output)
    {
        this.dataset = dataset;
        this.images = images;
        this.runs = runs;
        this.output = output;
    }

    /// <summary>Writes a figure of the predictions and one of the features, and gives their paths.</summary>
    public IReadOnlyList<string> Write()
    {
        using var scope = torch.NewDisposeScope();
        var training = dataset.Load(SegmentationDataset.Train, runs[0].Settings.ImageLimit);
        using var predictor = new Predictor(images, ChannelStatistics.Of(training));
        var networks = runs.Select(run => TrainedNetwork.Apply(run, output, predictor, images.Count)).ToList();
        var photos = new Column(
            "image", [.. images.Images.Select(pixels => new Picture(images.Height, images.Width, pixels))]);
        return
        [
            Save("predictions",
            [
                photos,
                new Column("truth", [.. images.Labels.Select(Draw)]),
                .. networks.Select(
                    network => new Column(network.Operator.Title(), [.. network.Predictions.Select(Draw)])),
            ]),
            Save("features",
            [
                photos,
                .. networks.Zip(
                    FeatureColours.Draw([.. networks.Select(network => network.Features)]),
                    (network, pictures) => new Column(network.Operator.Title(), pictures)),
            ]),
        ];
    }

    private Picture Draw(byte[] labels) =>
        ClassColours.Draw(labels, dataset.Description.Classes.Count, images.Height, images.Width);

    private string Save(string name, IReadOnlyList<Column> columns)
    {
        string path = Path.Combine(output, $"{runs[0].Key.Group}-{name}.png");
        FigureGrid.Save(
            path,
            [.. columns.Select(column => column.Heading)],
            [.. Enumerable.Range(0, images.Count).Select(
                i => (Picture[])[.. columns.Select(column => column.Pictures[i])])],
            images.Height,
            images.Width);
        return path;
    }

    private sealed record Column(string Heading, IReadOnlyList<Picture> Pictures);
}
