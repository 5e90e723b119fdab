using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Tests;
using SkiaSharp;

namespace SapaGpu.Segmentation.Tests;

[TestFixture]
internal sealed class DatasetTests
{
    [Test]
    public void Images_and_labels_are_read_as_they_are()
    {
        using var folder = new TemporaryFolder();
        var dataset = SmallDataset.Write(folder["squares"]);
        var set = dataset.Load(SegmentationDataset.Train);
        Assert.That(dataset.Name, Is.EqualTo("squares"));
        Assert.That(dataset.Description.Classes, Is.EqualTo(new[] { "ground", "left", "right" }));
        Assert.That(set.Names, Is.EqualTo(Enumerable.Range(0, SmallDataset.TrainImages).Select(i => $"picture{i}")));
        for (int i = 0; i < set.Count; i++)
        {
            for (int y = 0; y < set.Height; y++)
            {
                for (int x = 0; x < set.Width; x++)
                {
                    int pixel = y * set.Width + x;
                    Assert.That(set.Labels[i][pixel], Is.EqualTo(SmallDataset.Label(i, y, x)));
                }
            }
        }
        int middle = (10 * set.Width + 10) * ImageSet.Channels;
        Assert.That(set.Images[0][middle], Is.EqualTo(80).Within(4));
        Assert.That(set.Images[0][middle + 1], Is.EqualTo(26).Within(4));
        Assert.That(set.Images[0][middle + 2], Is.EqualTo(40).Within(4));
    }

    [Test]
    public void A_limit_takes_images_at_even_distances()
    {
        using var folder = new TemporaryFolder();
        var set = SmallDataset.Write(folder["squares"]).Load(SegmentationDataset.Train, limit: 3);
        Assert.That(set.Names, Is.EqualTo(new[] { "picture0", "picture2", "picture4" }));
    }

    [Test]
    public void What_is_not_right_is_named()
    {
        using var folder = new TemporaryFolder();
        Assert.That(() => SegmentationDataset.Open(folder.Path), Throws.InstanceOf<FileNotFoundException>());

        var dataset = SmallDataset.Write(folder["squares"]);
        File.Delete(folder["squares/images/test/picture1.jpg"]);
        Assert.That(
            () => dataset.Load(SegmentationDataset.Test),
            Throws.InstanceOf<FileNotFoundException>().With.Message.Contains("picture1.jpg"));

        using (var small = new SKBitmap(new SKImageInfo(8, 8, SKColorType.Gray8, SKAlphaType.Opaque)))
        using (var stream = File.Create(folder["squares/labels/val/picture0.png"]))
            small.Encode(stream, SKEncodedImageFormat.Png, quality: 100);
        Assert.That(
            () => dataset.Load(SegmentationDataset.Validation),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("8x8"));
    }

    [Test]
    public void Weights_balance_the_frequencies_of_classes()
    {
        // Class 0 has 6 of 8 pixels, class 1 2 of the 4 pixels of the image that has it, class 2 none.
        var set = new ImageSet(2, 2, ["a", "b"], [new byte[12], new byte[12]], [[0, 0, 0, 0], [0, 1, 1, 0]]);
        var weights = ClassWeights.Balance(set, 3);
        Assert.That(weights[0], Is.EqualTo(0.625 / 0.75).Within(1e-6));
        Assert.That(weights[1], Is.EqualTo(0.625 / 0.5).Within(1e-6));
        Assert.That(weights[2], Is.Zero);
    }

    [Test]
    public void The_order_of_an_epoch_follows_from_seed_and_epoch()
    {
        var first = Order(seed: 1, epoch: 2);
        Assert.That(first, Is.EqualTo(Order(seed: 1, epoch: 2)));
        Assert.That(first, Is.Not.EqualTo(Order(seed: 1, epoch: 3)));
        Assert.That(first, Is.Not.EqualTo(Order(seed: 2, epoch: 2)));
        Assert.That(
            first.Select(item => item.Index).Distinct().Count(), Is.EqualTo(48), "six full batches of fifty images");
        Assert.That(first.Count(item => item.IsMirrored), Is.InRange(12, 36));

        static List<(int Index, bool IsMirrored)> Order(int seed, int epoch) =>
            [.. new EpochOrder(seed, epoch, 50).Batches(8).SelectMany(batch => batch.Indices.Zip(batch.IsMirrored))];
    }

    [Test]
    public void Mirrored_images_keep_their_colours_and_labels()
    {
        var set = new ImageSet(1, 2, ["a"], [[10, 20, 30, 40, 50, 60]], [[0, 1]]);
        using var batches = new BatchMaker(set, new ChannelStatistics([0, 0, 0], [1, 1, 1]));
        using var image = batches.Images([0], [true]);
        using var labels = batches.Labels([0], [true]);
        Assert.That(image.shape, Is.EqualTo(new long[] { 1, 3, 1, 2 }));
        Assert.That(image.contiguous().data<float>().ToArray(), Is.EqualTo(new float[] { 40, 10, 50, 20, 60, 30 }));
        Assert.That(labels.data<long>().ToArray(), Is.EqualTo(new long[] { 1, 0 }));
    }

    [Test]
    public void Label_maps_have_the_counts_that_are_published_with_them()
    {
        string folder = Path.Combine(Environment.GetEnvironmentVariable("SAPAGPU_DATA") ?? "", "data", "camvid");
        if (!Directory.Exists(folder))
            Assert.Ignore("SAPAGPU_DATA names no folder with data/camvid.");
        var dataset = SegmentationDataset.Open(folder);
        using var stats = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "stats.json")));
        foreach (string split in new[] { SegmentationDataset.Train, SegmentationDataset.Test })
        {
            var expected = stats.RootElement.GetProperty("splits").GetProperty(split).GetProperty("pixels")
                .EnumerateArray().Select(count => count.GetInt64());
            var counts = new long[dataset.Description.AllClasses.Count];
            foreach (byte label in dataset.Load(split).Labels.SelectMany(map => map))
                counts[label]++;
            Assert.That(counts, Is.EqualTo(expected), split);
        }
    }
}
