using TorchSharp;

namespace SapaGpu.Segmentation;

/// <summary>What a trained network makes of some images.</summary>
/// <param name="Operator">What upsamples.</param>
/// <param name="Predictions">The classes of every image.</param>
/// <param name="Features">The upsampled features of every image, [C, H, W].</param>
internal sealed record TrainedNetwork(
    UpsamplingOperator Operator,
    IReadOnlyList<byte[]> Predictions,
    IReadOnlyList<torch.Tensor> Features)
{
    /// <summary>Loads the weights of a finished run and applies the network.</summary>
    public static TrainedNetwork Apply(RunResult result, string output, Predictor predictor, int images)
    {
        using var network = new SegmentationNetwork(
            result.Classes.Count, result.Key.Operator, result.Key.HasLaterals, result.Key.Seed, result.Settings.Window);
        network.load(new RunFolder(output, result.Key).Weights);
        return new TrainedNetwork(
            result.Key.Operator,
            [.. Enumerable.Range(0, images).Select(i => predictor.Classes(network, i))],
            [.. Enumerable.Range(0, images).Select(i => predictor.Features(network, i))]);
    }
}
