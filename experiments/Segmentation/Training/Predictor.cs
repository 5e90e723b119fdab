using TorchSharp;

namespace SapaGpu.Segmentation;

/// <summary>Predicts the classes of images.</summary>
internal sealed class Predictor : IDisposable
{
    private readonly ImageSet images;
    private readonly BatchMaker batches;

    public Predictor(ImageSet images, ChannelStatistics statistics)
    {
        this.images = images;
        batches = new BatchMaker(images, statistics);
    }

    /// <summary>Scores the predictions for all images.</summary>
    public SegmentationScores Score(SegmentationNetwork network, int classes, int batchSize)
    {
        var scorer = new SegmentationScorer(classes, images.Height, images.Width);
        foreach (var indices in Enumerable.Range(0, images.Count).Chunk(batchSize))
        {
            var found = Run(
                network, indices, (model, batch) => Rows(model.call(batch).argmax(1).to(torch.ScalarType.Byte)));
            scorer.Add([.. indices.Select(i => images.Labels[i])], found);
        }
        return scorer.Score();
    }

    /// <summary>The predicted classes of an image.</summary>
    public byte[] Classes(SegmentationNetwork network, int image) =>
        Run(network, [image], (model, batch) => Rows(model.call(batch).argmax(1).to(torch.ScalarType.Byte)))[0];

    /// <summary>The upsampled features of an image, [C, H, W].</summary>
    public torch.Tensor Features(SegmentationNetwork network, int image) =>
        Run(network, [image], (model, batch) => model.Features(batch)[0].MoveToOuterDisposeScope());

    public void Dispose() => batches.Dispose();

    private T Run<T>(SegmentationNetwork network, int[] indices, Func<SegmentationNetwork, torch.Tensor, T> compute)
    {
        using var scope = torch.NewDisposeScope();
        using var withoutGradients = torch.no_grad();
        network.eval();
        var result = compute(network, batches.Images(indices, new bool[indices.Length]));
        network.train();
        return result;
    }

    private static byte[][] Rows(torch.Tensor predictions)
    {
        var contiguous = predictions.contiguous();
        return [.. Enumerable.Range(0, (int)predictions.shape[0]).Select(i => contiguous[i].data<byte>().ToArray())];
    }
}
