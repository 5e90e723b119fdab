using TorchSharp;

namespace SapaGpu.Segmentation;

/// <summary>Makes tensors of images and label maps, in channels-last.</summary>
internal sealed class BatchMaker : IDisposable
{
    private readonly ImageSet set;
    private readonly torch.Tensor means;
    private readonly torch.Tensor deviations;

    public BatchMaker(ImageSet set, ChannelStatistics statistics)
    {
        this.set = set;
        means = torch.tensor(statistics.Means).DetachFromDisposeScope();
        deviations = torch.tensor(statistics.Deviations).DetachFromDisposeScope();
    }

    /// <summary>Normalised images, [B, 3, H, W] with the channels of a pixel side by side in memory.</summary>
    public torch.Tensor Images(ReadOnlySpan<int> indices, ReadOnlySpan<bool> isMirrored)
    {
        var bytes = Gather(set.Images, ImageSet.Channels, indices, isMirrored);
        using var pixels = torch.tensor(bytes, [indices.Length, set.Height, set.Width, ImageSet.Channels]);
        using var centred = pixels.to(torch.ScalarType.Float32).sub_(means);
        using var normalised = centred.div_(deviations).alias();
        return normalised.permute(0, 3, 1, 2);
    }

    /// <summary>The classes of all pixels, [B, H, W].</summary>
    public torch.Tensor Labels(ReadOnlySpan<int> indices, ReadOnlySpan<bool> isMirrored)
    {
        var bytes = Gather(set.Labels, 1, indices, isMirrored);
        using var labels = torch.tensor(bytes, [indices.Length, set.Height, set.Width]);
        return labels.to(torch.ScalarType.Int64);
    }

    public void Dispose()
    {
        means.Dispose();
        deviations.Dispose();
    }

    private byte[] Gather(
        IReadOnlyList<byte[]> maps, int channels, ReadOnlySpan<int> indices, ReadOnlySpan<bool> isMirrored)
    {
        int size = set.Height * set.Width * channels;
        var gathered = new byte[indices.Length * size];
        for (int i = 0; i < indices.Length; i++)
        {
            var target = gathered.AsSpan(i * size, size);
            maps[indices[i]].CopyTo(target);
            if (isMirrored[i])
                Mirror(target, channels);
        }
        return gathered;
    }

    private void Mirror(Span<byte> map, int channels)
    {
        int rowSize = set.Width * channels;
        for (int start = 0; start < map.Length; start += rowSize)
        {
            // Reversing the row reverses its channels as well; they are put right pixel by pixel.
            var row = map.Slice(start, rowSize);
            row.Reverse();
            for (int x = 0; x < rowSize && channels > 1; x += channels)
                row.Slice(x, channels).Reverse();
        }
    }
}
