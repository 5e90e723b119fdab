using TorchSharp;
using static TorchSharp.torch;

namespace SapaGpu.Segmentation;

/// <summary>
/// Draws features as colours: their first three principal components, each scaled to unit variance, found for all
/// images of a network together. Components of another network are turned towards those of the first one (orthogonal
/// Procrustes), since their order and sign mean nothing.
/// </summary>
internal static class FeatureColours
{
    private const int Components = 3;

    // How many standard deviations from the mean the darkest and the brightest value are.
    private const double Range = 2.5;

    private const double LeastVariance = 1e-12;

    /// <summary>The pictures of every network's images.</summary>
    /// <param name="features">For every network and image the features, [C, H, W].</param>
    public static IReadOnlyList<IReadOnlyList<Picture>> Draw(IReadOnlyList<IReadOnlyList<torch.Tensor>> features)
    {
        using var scope = NewDisposeScope();
        var pictures = new List<IReadOnlyList<Picture>>();
        torch.Tensor? reference = null;
        foreach (var images in features)
        {
            var components = PrincipalComponents(images);
            var turned = reference is null ? components : Turn(components, reference);
            reference ??= components;
            pictures.Add(Split(turned, images));
        }
        return pictures;
    }

    // [pixels of all images, 3]
    private static torch.Tensor PrincipalComponents(IReadOnlyList<torch.Tensor> images)
    {
        var pixels = cat([.. images.Select(image => image.flatten(1).transpose(0, 1))]).to(ScalarType.Float64);
        var centred = pixels - pixels.mean([0], keepdim: true);
        var (variances, directions) = linalg.eigh(centred.transpose(0, 1).matmul(centred) / pixels.shape[0]);
        // Eigenvalues ascend.
        var largest = directions.narrow(1, directions.shape[1] - Components, Components).flip(1);
        var scale = variances.narrow(0, variances.shape[0] - Components, Components).flip(0).clamp_min(
            LeastVariance).sqrt();
        return centred.matmul(largest) / scale;
    }

    private static torch.Tensor Turn(torch.Tensor components, torch.Tensor reference)
    {
        var (left, _, right) = linalg.svd(components.transpose(0, 1).matmul(reference), fullMatrices: false);
        return components.matmul(left).matmul(right);
    }

    private static List<Picture> Split(torch.Tensor components, IReadOnlyList<torch.Tensor> images)
    {
        var bytes = ((components / (2 * Range) + 0.5).clamp(0, 1) * byte.MaxValue).round().to(
            ScalarType.Byte).contiguous();
        var all = bytes.data<byte>().ToArray();
        var pictures = new List<Picture>();
        int start = 0;
        foreach (var image in images)
        {
            int height = (int)image.shape[1], width = (int)image.shape[2], size = height * width * Components;
            pictures.Add(new Picture(height, width, all[start..(start + size)]));
            start += size;
        }
        return pictures;
    }
}
