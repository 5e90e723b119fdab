using System.Text.Json;
using NUnit.Framework;
using SapaGpu.Cli;
using SapaGpu.Cli.Commands;
using SapaGpu.Cli.Guided;
using SapaGpu.Cli.Guided.Batch;
using SapaGpu.Cli.Guided.Models;
using SapaGpu.Workloads.Npy;
using Image = NetVips.Image;

namespace SapaGpu.Tests.Guided;

/// <summary><c>sapagpu upsample --model</c>, beside the modules of the library.</summary>
[TestFixture]
[NonParallelizable]
internal sealed class ModelUpsampleTests : UpsampleFixture
{
    private const int Channels = 8;
    private const int Height = UpsampleRuns.Height;
    private const int Width = UpsampleRuns.Width;
    private const int MapHeight = UpsampleRuns.MapHeight;
    private const int MapWidth = UpsampleRuns.MapWidth;

    private static readonly int[] Shape = [Channels, MapHeight, MapWidth];
    private static readonly double[] Features = SmallModels.Features(Channels * MapHeight * MapWidth);

    [SetUp]
    public void WriteInputs()
    {
        foreach (var model in Enum.GetValues<UpsamplingModel>())
            SmallModels.Save(model, Checkpoint(model));
        Runs.WriteArray("f.npy", "<f4", Shape, Features);
    }

    [Test]
    public void The_result_is_that_of_the_module(
        [Values] UpsamplingModel model, [Values("<f2", "<f4", "<f8")] string descriptor, [Values("f64", "f32")] string type)
    {
        Runs.WriteArray("f.npy", descriptor, [1, .. Shape], Features);
        var run = Upsample(model, "f.npy", "--dtype", type);
        UpsampleRuns.AssertSucceeds(run);
        Assert.That(run.Output, Does.Contain($"8 channels, 8x6 to 32x24, {model.Name()} on cpu, {type}, 4 heads"));
        var result = NpyFile.Read(Runs["o.npy"]);
        Assert.That((result.Descriptor, result.ShapeText), Is.EqualTo((descriptor, $"[1, 8, {Height}, {Width}]")));
        Assert.That(result.Values, Is.EqualTo(Expected(model)).Within(descriptor == "<f2" ? 2e-3 : 2e-5));
    }

    [Test]
    public void Narrow_types_come_near([Values] UpsamplingModel model, [Values("f16", "bf16")] string type)
    {
        UpsampleRuns.AssertSucceeds(Upsample(model, "f.npy", "--dtype", type));
        Assert.That(NpyFile.Read(Runs["o.npy"]).Values, Is.EqualTo(Expected(model)).Within(type == "f16" ? 0.02 : 0.15));
    }

    [Test]
    public void Channels_may_lie_side_by_side([Values] UpsamplingModel model)
    {
        int cells = MapHeight * MapWidth;
        Runs.WriteArray("f.npy", "<f4", [MapHeight, MapWidth, Channels], Enumerable.Range(0, Features.Length)
            .Select(i => Features[i % Channels * cells + i / Channels]));
        UpsampleRuns.AssertSucceeds(Upsample(model, "f.npy", "--layout", "hwc"));
        var result = NpyFile.Read(Runs["o.npy"]);
        Assert.That(result.Shape, Is.EqualTo(new[] { Height, Width, Channels }));
        var expected = Expected(model);
        Assert.That(result.Values, Is.EqualTo(Enumerable.Range(0, expected.Length)
            .Select(i => expected[i % Channels * Height * Width + i / Channels])).Within(2e-5));
    }

    [Test]
    public void Size_mean_and_deviation_are_those_that_are_given([Values] UpsamplingModel model)
    {
        UpsampleRuns.AssertSucceeds(
            Upsample(model, "f.npy", "--size", "19x11", "--image-mean", "0.5", "--image-std", "0.25,0.5,1"));
        var result = NpyFile.Read(Runs["o.npy"]);
        Assert.That(result.Shape, Is.EqualTo(new[] { Channels, 11, 19 }));
        Assert.That(
            result.Values,
            Is.EqualTo(Expected(model, height: 11, width: 19, mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.5, 1])).Within(2e-5));
        UpsampleRuns.AssertSucceeds(Upsample(model, "f.npy", "--guide-size", "16x12"));
        Assert.That(
            NpyFile.Read(Runs["o.npy"]).Values,
            Is.EqualTo(Expected(model, Runs.Photo.Resize(12, 16), height: 12, width: 16)).Within(2e-5));
    }

    [Test]
    public void Options_reach_the_model()
    {
        Check(UpsamplingModel.Naf, new NafUpsampler<float>(TestDevices.Open("cpu"), SmallModels.Naf with
        {
            Heads = 2,
            Window = 4,
            NormGroups = 2,
            Epsilon = 0.1,
        }), "--heads", "2", "--window", "4", "--norm-groups", "2", "--epsilon", "0.1");
        Check(UpsamplingModel.AnyUp, new AnyUpUpsampler<float>(TestDevices.Open("cpu"), SmallModels.AnyUp with
        {
            Heads = 2,
            WindowRatio = 0,
            NormGroups = 4,
            Epsilon = 0.1,
        }), "--heads", "2", "--window-ratio", "0", "--norm-groups", "4", "--epsilon", "0.1");

        void Check(UpsamplingModel model, ImageGuidedUpsampler<float> module, params string[] options)
        {
            using (module)
            {
                module.Load(Checkpoint(model));
                UpsampleRuns.AssertSucceeds(Upsample(model, "f.npy", options));
                var expected = SmallModels.Upsample(module, Runs.Photo, Shape, Features, Height, Width);
                Assert.That(NpyFile.Read(Runs["o.npy"]).Values, Is.EqualTo(expected).Within(2e-5));
                Assert.That(expected.Zip(Expected(model), (a, b) => Math.Abs(a - b)).Max(), Is.GreaterThan(1e-3));
            }
        }
    }

    [Test]
    public void A_part_of_the_photo_is_cut_and_padding_left_out()
    {
        UpsampleRuns.AssertSucceeds(Upsample(UpsamplingModel.Naf, "f.npy", "--crop", "8,6,16,12"));
        var part = Crop.Cut(Runs.Photo, new Region(6, 8, 12, 16));
        Assert.That(
            NpyFile.Read(Runs["o.npy"]).Values,
            Is.EqualTo(Expected(UpsamplingModel.Naf, part, height: 12, width: 16)).Within(2e-5));

        // A photo of 32x24 in a padded square of eight cells covers six rows of them.
        var square = SmallModels.Features(Channels * 8 * 8);
        Runs.WriteArray("s.npy", "<f4", [Channels, 8, 8], square);
        UpsampleRuns.AssertSucceeds(Upsample(UpsamplingModel.Naf, "s.npy", "--letterbox"));
        var covered = Enumerable.Range(0, Channels).SelectMany(c => square.Skip(c * 64).Take(6 * 8)).ToArray();
        using var module = SmallModels.Create<float>(UpsamplingModel.Naf);
        var expected = SmallModels.Upsample(module, Runs.Photo, Shape, covered, Height, Width);
        Assert.That(NpyFile.Read(Runs["o.npy"]).Values, Is.EqualTo(expected).Within(2e-5));

        // In the centre of seven rows the cells begin above the photo, which grows to them.
        Runs.WriteArray("s.npy", "<f4", [Channels, 7, 7], SmallModels.Features(Channels * 7 * 7));
        UpsampleRuns.AssertSucceeds(Upsample(UpsamplingModel.Naf, "s.npy", "--letterbox", "center", "--compare", Runs["figure.png"]));
        Assert.That(NpyFile.Read(Runs["o.npy"]).Shape, Is.EqualTo(new[] { Channels, Height, Width }));
    }

    [Test]
    public void The_figure_has_its_panels([Values] UpsamplingModel model)
    {
        UpsampleRuns.AssertSucceeds(Upsample(model, "f.npy", "--compare", Runs["figure.png"]));
        using var figure = Image.NewFromFile(Runs["figure.png"]);

        // Five panels of fifteen times the photo in two rows.
        Assert.That(figure.Width, Is.GreaterThan(5 * 15 * Width));
        Assert.That(figure.Height, Is.InRange(2 * 15 * Height, 2 * 15 * Height + 200));
        UpsampleRuns.AssertSucceeds(Upsample(model, "f.npy", "--compare", Runs["small.png"], "--size", "5x40"));
        Assert.That(File.Exists(Runs["small.png"]));
    }

    [Test]
    public void A_folder_is_upsampled_with_one_model()
    {
        Directory.CreateDirectory(Runs["features"]);
        Directory.CreateDirectory(Runs["photos"]);
        foreach (string name in (string[])["a", "b"])
        {
            File.Copy(Runs["f.npy"], Runs[$"features/{name}.npy"]);
            File.Copy(Runs["photo.png"], Runs[$"photos/{name}.png"]);
            File.Copy(Runs["photo.png"], Runs[$"features/{name}.png"]);
        }
        var run = Batch(Checkpoint(UpsamplingModel.Naf));
        UpsampleRuns.AssertSucceeds(run);
        Assert.That(run.Output, Does.StartWith("2 maps (features) upsampled"));
        Assert.That(NpyFile.Read(Runs["results/b.npy"]).Values, Is.EqualTo(Expected(UpsamplingModel.Naf)).Within(2e-5));
        Assert.That(Batch(Checkpoint(UpsamplingModel.Naf), "--resume").Output, Does.Contain("2 skipped"));

        // One map that fails does not keep the other from being done; a checkpoint that fails does.
        Runs.WriteArray("features/a.npy", "<f4", [6, MapHeight, MapWidth], new double[6 * MapHeight * MapWidth]);
        run = Batch(Checkpoint(UpsamplingModel.Naf));
        Assert.That((run.ExitCode, ToolLines(run)[0]), Is.EqualTo((ExitCode.Failure, "1 of 2 maps failed:")));
        run = Batch(Runs["f.npy"]);
        Assert.That((run.ExitCode, ToolLines(run).Length), Is.EqualTo((ExitCode.Failure, 1)));

        ToolRun Batch(string checkpoint, params string[] more) => ToolRun.Of(
        [
            "upsample", "--model", "naf", "--checkpoint", checkpoint, "--guide", Runs["photos"], "--input", Runs["features"],
            "--output", Runs["results"] + Path.DirectorySeparatorChar, "--device", "cpu", .. more,
        ]);
    }

    [Test]
    public void The_report_names_the_model()
    {
        var run = Upsample(UpsamplingModel.AnyUp, "f.npy", "--json");
        UpsampleRuns.AssertSucceeds(run);
        var result = JsonDocument.Parse(run.Output).RootElement.GetProperty("results")[0];
        Assert.That(result.GetProperty("method").GetString(), Is.EqualTo("anyup"));
        Assert.That(result.GetProperty("model").GetProperty("channels").GetInt32(), Is.EqualTo(SmallModels.AnyUp.Channels));
        Assert.That(result.GetProperty("outputSize").GetString(), Is.EqualTo("32x24"));
    }

    [Test]
    public void Nothing_stays_of_a_run_that_is_cancelled()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var request = new UpsampleRequest
        {
            Guide = Runs["photo.png"],
            Input = Runs["f.npy"],
            Output = Runs["o.npy"],
            Device = "cpu",
            Model = new ModelRequest { Model = UpsamplingModel.Naf, Checkpoint = Checkpoint(UpsamplingModel.Naf) },
        };
        var before = Directory.GetFiles(Path.GetDirectoryName(Runs["o.npy"])!);
        var run = new UpsampleRun(
            new UpsampleArguments
            {
                Template = request,
                Guides = [request.Guide],
                Inputs = [request.Input],
                Output = request.Output,
                Quiet = true,
            },
            source.Token);
        Assert.That(run.Run(), Is.EqualTo(ExitCode.Failure));
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(Runs["o.npy"])!), Is.EquivalentTo(before));
    }

    [TestCase("--method", "sapa")]
    [TestCase("--no-refine")]
    [TestCase("--sigma-color", "0.1")]
    [TestCase("--sigma-space", "0.5")]
    [TestCase("--labels")]
    [TestCase("--argmax")]
    [TestCase("--probabilities")]
    [TestCase("--threshold", "0.5")]
    [TestCase("--unknown", "0")]
    [TestCase("--fill")]
    [TestCase("--truth", "photo.png")]
    public void Options_of_methods_mean_nothing_to_models(params string[] options) =>
        Runs.AssertRefuses(Upsample(UpsamplingModel.Naf, "f.npy", options), ExitCode.Usage, options[0], "--model naf", "leave it out");

    [Test]
    public void Options_of_models_mean_nothing_to_methods()
    {
        Runs.WriteArray("map.npy", "<f4", [MapHeight, MapWidth], UpsampleRuns.Ramp());
        foreach (string[] words in (string[][])
                 [
                     ["--checkpoint", "a"], ["--prefix", "a"], ["--size", "9x9"], ["--guide-size", "9x9"], ["--image-mean", "0"],
                     ["--image-std", "1"], ["--dtype", "f32"], ["--heads", "4"], ["--window-ratio", "0.1"], ["--norm-groups", "8"],
                     ["--epsilon", "1"],
                 ])
        {
            Runs.AssertRefuses(Runs.Upsample("map.npy", "o.npy", words), ExitCode.Usage, words[0], "add --model naf or anyup");
        }
        foreach (string window in (string[])["4", "17", "0", "1.5"])
            Runs.AssertRefuses(Runs.Upsample("map.npy", "o.npy", "--window", window), ExitCode.Usage, $"--window {window}", "from 1 to 15");
    }

    [TestCase(UpsamplingModel.Naf, "--kind mask", "--kind mask: --model naf upsamples features")]
    [TestCase(UpsamplingModel.Naf, "--window-ratio 0.1", "--window-ratio means nothing with --model naf")]
    [TestCase(UpsamplingModel.AnyUp, "--window 9", "--window means nothing with --model anyup")]
    [TestCase(UpsamplingModel.AnyUp, "--window-ratio 1.5", "--window-ratio 1.5")]
    [TestCase(UpsamplingModel.Naf, "--heads 3", "--heads 3: the checkpoint", "32 channels")]
    [TestCase(UpsamplingModel.AnyUp, "--heads 3", "--heads 3: the checkpoint", "16 channels")]
    [TestCase(UpsamplingModel.Naf, "--heads 16", "f.npy: the features have 8 channels, no multiple of the 16 heads")]
    [TestCase(UpsamplingModel.Naf, "--norm-groups 3", "--norm-groups 3", "16 channels of either encoder")]
    [TestCase(UpsamplingModel.AnyUp, "--norm-groups 16", "--norm-groups 16", "24 kernels")]
    [TestCase(UpsamplingModel.Naf, "--size 9", "--size 9", "640x480")]
    [TestCase(UpsamplingModel.Naf, "--size 0x9", "--size 0x9")]
    [TestCase(UpsamplingModel.Naf, "--size 9x9 --letterbox", "--letterbox", "--guide-size")]
    [TestCase(UpsamplingModel.Naf, "--guide-size 33x24", "--guide-size 33x24", "32x24", "only made smaller")]
    [TestCase(UpsamplingModel.Naf, "--image-mean 1,2", "--image-mean 1,2", "three with commas")]
    [TestCase(UpsamplingModel.Naf, "--image-std 1,0,1", "--image-std 1,0,1", "above 0")]
    [TestCase(UpsamplingModel.Naf, "--image-mean nan", "--image-mean nan")]
    [TestCase(UpsamplingModel.Naf, "--epsilon -1", "--epsilon -1")]
    [TestCase(UpsamplingModel.Naf, "--dtype f8", "f8")]
    [TestCase(UpsamplingModel.Naf, "--crop 30,0,9,9", "--crop 30,0,9,9", "32x24")]
    public void Options_that_contradict_model_checkpoint_or_photo_are_refused(
        UpsamplingModel model, string options, params string[] texts) =>
        Runs.AssertRefuses(Upsample(model, "f.npy", options.Split(' ')), ExitCode.Usage, texts);

    [TestCase("1000000x1000000", "are too many")]
    [TestCase("46000x46000", "in f64 take 126.12 GiB")]
    public void What_does_not_fit_into_memory_is_refused(string size, string reason) => Runs.AssertRefuses(
        Upsample(UpsamplingModel.Naf, "f.npy", "--size", size, "--dtype", "f64"),
        ExitCode.Failure,
        $"8 channels of {size}", reason, "smaller --size");

    [Test]
    public void Files_that_are_no_checkpoint_of_the_model_are_refused()
    {
        string naf = Checkpoint(UpsamplingModel.Naf), anyUp = Checkpoint(UpsamplingModel.AnyUp);
        Refuses("naf", anyUp, "this is a checkpoint of AnyUp", "--model anyup");
        Refuses("anyup", naf, "this is a checkpoint of NAF", "--model naf");
        Refuses("naf", Runs["f.npy"], "f.npy", "neither a PyTorch checkpoint nor a safetensors file");
        Refuses("naf", Runs["nothing.pth"], "nothing.pth: there is no such checkpoint");
        Refuses("naf", Path.GetDirectoryName(naf)!, "this is a folder");
        using (var carafe = new CarafeUpsampler<float>(TestDevices.Open("cpu"), new CarafeOptions { Channels = 4 }))
            carafe.ToStateDict().Save(Runs["carafe.safetensors"]);
        Refuses("naf", Runs["carafe.safetensors"], "no parameter image_encoder.encoder.0.weight", "--prefix");
        var state = StateDict.Load(naf);
        Save("part.safetensors", state.Values.Where(entry => entry.Name != "image_encoder.sem_encoder.1.conv2.bias"));
        Refuses("naf", Runs["part.safetensors"], "part.safetensors", "missing: image_encoder.sem_encoder.1.conv2.bias");
        Save("periods.safetensors", state.Values.Select(entry => entry.Name.EndsWith("periods", StringComparison.Ordinal)
            ? StateEntry.FromDoubles(entry.Name, [3], [1, 2, 3], CheckpointType.Float32) : entry));
        Refuses("naf", Runs["periods.safetensors"], "3 periods", "32 channels");
        Save("flat.safetensors", state.Values.Select(entry => entry.Name == "image_encoder.encoder.0.weight"
            ? StateEntry.FromDoubles(entry.Name, [], [1], CheckpointType.Float32) : entry));
        Refuses("naf", Runs["flat.safetensors"], "0 dimensions");
        Save("even.safetensors", StateDict.Load(anyUp).Values.Select(entry => entry.Name == "key_features_encoder.0.basis"
            ? StateEntry.FromDoubles(entry.Name, [24, 1, 2, 2], new double[96], CheckpointType.Float32) : entry));
        Refuses("anyup", Runs["even.safetensors"], "2x2", "odd");

        void Save(string name, IEnumerable<StateEntry> entries)
        {
            var other = new StateDict();
            foreach (var entry in entries)
                other.Add(entry);
            other.Save(Runs[name]);
        }

        void Refuses(string model, string checkpoint, params string[] texts) => Runs.AssertRefuses(
            Runs.Upsample("f.npy", "o.npy", "--model", model, "--checkpoint", checkpoint), ExitCode.Failure, texts);
    }

    [Test]
    public void A_prefix_finds_the_model_in_a_larger_checkpoint()
    {
        var larger = new StateDict();
        foreach (var entry in StateDict.Load(Checkpoint(UpsamplingModel.Naf)).Values)
            larger.Add(new StateEntry($"up.{entry.Name}", [.. entry.Shape], entry.Type, entry.Bytes));
        larger.Save(Runs["larger.safetensors"]);
        string[] words = ["--model", "naf", "--checkpoint", Runs["larger.safetensors"]];
        Runs.AssertRefuses(Runs.Upsample("f.npy", "o.npy", words), ExitCode.Failure, "--prefix", "up.image_encoder");
        UpsampleRuns.AssertSucceeds(Runs.Upsample("f.npy", "o.npy", [.. words, "--prefix", "up."]));
        Assert.That(NpyFile.Read(Runs["o.npy"]).Values, Is.EqualTo(Expected(UpsamplingModel.Naf)).Within(2e-5));
    }

    [Test]
    public void A_checkpoint_is_needed_and_no_result_takes_its_place()
    {
        Runs.AssertRefuses(Runs.Upsample("f.npy", "o.npy", "--model", "naf"), ExitCode.Usage, "--model naf", "--checkpoint");
        Runs.AssertRefuses(Runs.Upsample("f.npy", "o.npy", "--model", "naf", "--checkpoint", "-"), ExitCode.Usage, "--checkpoint -");
        Runs.AssertRefuses(Runs.Upsample("f.npy", "o.npy", "--model", "other", "--checkpoint", "a"), ExitCode.Usage, "'other'");
        string checkpoint = Checkpoint(UpsamplingModel.Naf);
        var bytes = File.ReadAllBytes(checkpoint);
        Runs.AssertRefuses(
            Runs.Upsample("f.npy", "naf.safetensors", "--model", "naf", "--checkpoint", checkpoint),
            ExitCode.Failure,
            "--checkpoint", "overwritten");
        Assert.That(File.ReadAllBytes(checkpoint), Is.EqualTo(bytes));
    }

    [Test]
    public void Inputs_that_are_no_features_are_refused()
    {
        Refuses("photo.png", "photo.png: features are a .npy or .npz array");
        Runs.WriteArray("w.npy", "|u1", Shape, Features);
        Refuses("w.npy", "w.npy: features are real numbers", "'|u1'");
        Runs.WriteArray("w.npy", "<f4", [2, Channels / 2, MapHeight, MapWidth], Features);
        Refuses("w.npy", "w.npy: the array has shape [2, 4, 6, 8]");
        Runs.WriteArray("w.npy", "<f4", Shape, Features.Select((value, i) => i == 9 ? double.NaN : value));
        Refuses("w.npy", "w.npy: the features have values that are not finite");
        Runs.WriteArray("w.npy", "<f8", Shape, Features.Select(value => 1e300 * value));
        Refuses("w.npy", "w.npy", "beyond the range of f32", "--dtype f64");
        File.WriteAllBytes(Runs["w.npy"], File.ReadAllBytes(Runs["f.npy"])[..200]);
        Refuses("w.npy", "w.npy", "384 elements");
        Runs.AssertRefuses(
            Runs.Upsample("f.npy", "o.png", "--model", "naf", "--checkpoint", Checkpoint(UpsamplingModel.Naf)),
            ExitCode.Failure,
            "o.png", ".npy");
        Runs.AssertRefuses(
            Upsample(UpsamplingModel.Naf, "f.npy", "--compare", Runs["o.txt"]), ExitCode.Failure, "o.txt", ".png");

        void Refuses(string input, params string[] texts) =>
            Runs.AssertRefuses(Upsample(UpsamplingModel.Naf, input), ExitCode.Failure, texts);
    }

    [Test]
    public void Other_proportions_are_told_but_not_refused()
    {
        Runs.WriteArray("t.npy", "<f4", [Channels, MapWidth, MapHeight], Features);
        var run = Upsample(UpsamplingModel.Naf, "t.npy", "--layout", "chw");
        Assert.That(run.ExitCode, Is.EqualTo(ExitCode.Success));
        Assert.That(run.Errors, Does.StartWith("Warning: ").And.Contain("proportions"));
        UpsampleRuns.AssertSucceeds(Upsample(UpsamplingModel.Naf, "t.npy", "--layout", "chw", "--size", "24x32"));
    }

    private static string[] ToolLines(ToolRun run) => run.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string Checkpoint(UpsamplingModel model) => Runs[$"{model.Name()}.safetensors"];

    private ToolRun Upsample(UpsamplingModel model, string input, params string[] more) =>
        Runs.Upsample(input, "o.npy", ["--model", model.Name(), "--checkpoint", Checkpoint(model), .. more]);

    private double[] Expected(
        UpsamplingModel model, Photo? photo = null, int height = Height, int width = Width, double[]? mean = null,
        double[]? deviation = null)
    {
        using var module = SmallModels.Create<double>(model);
        module.Load(Checkpoint(model));
        return SmallModels.Upsample(module, photo ?? Runs.Photo, Shape, Features, height, width, mean, deviation);
    }
}
