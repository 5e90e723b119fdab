using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Modules;

/// <summary>The upsamplers with an image: names, derivatives, training, types, misuse.</summary>
[TestFixture]
public sealed class ImageGuidedTests
{
    private static readonly NafOptions Naf = new()
    {
        Channels = 16,
        Heads = 2,
        RotaryHeads = 2,
        Window = 3,
        Blocks = 1,
        NormGroups = 4,
    };

    private static readonly AnyUpOptions AnyUp = new()
    {
        Channels = 8,
        Heads = 2,
        FeatureKernel = 3,
        FeatureKernels = 12,
        NormGroups = 4,
    };

    [SetUp]
    public void Seed() => torch.manual_seed(3);

    [Test]
    public void The_library_s_own_modules_have_the_same_parameters_and_output()
    {
        using var scope = torch.NewDisposeScope();
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        using var naf = new NafUpsampler<float>(device, Naf);
        using var anyUp = new AnyUpUpsampler<float>(device, AnyUp);
        foreach (var (module, own) in new (ImageGuidedUpsampler, ImageGuidedUpsampler<float>)[]
                 {
                     (new NafUpsampler(Naf), naf), (new AnyUpUpsampler(AnyUp), anyUp),
                 })
        {
            Assert.That(module.state_dict().Keys, Is.EqualTo(own.Parameters.Select(parameter => parameter.Name)));
            own.Load(module.ToStateDict());
            var (image, features) = (torch.rand(2, 3, 9, 8), torch.rand(2, 4, 3, 4));
            using var pixels = FeatureMap<float>.From(device, new MapShape(2, 3, 9, 8), image.data<float>().ToArray());
            using var cells = FeatureMap<float>.From(device, new MapShape(2, 4, 3, 4), features.data<float>().ToArray());
            using var expected = own.Forward(pixels, cells, 7, 6);
            Assert.That(
                module.call(image, features, 7, 6).data<float>().ToArray(), Is.EqualTo(expected.ToArray()).Within(2e-5));
            module.Dispose();
        }
    }

    // Queries that are no larger than the features are not pooled for keys; nor is an image that is already small. The composition is
    // in double precision: in single precision some builds of libtorch give wrong gradients of small convolutions.
    [Test]
    public void The_encoder_of_the_library_is_that_of_torch_s_operators(
        [Values(torch.ScalarType.Float64, torch.ScalarType.Float32)] torch.ScalarType type, [Values] bool isLarge)
    {
        var (height, width) = isLarge ? (7, 6) : (3, 4);
        foreach (var module in Modules(type))
        {
            using var scope = torch.NewDisposeScope();
            var (image, features) = (torch.randn(2, 3, 9, 8, type), torch.randn(2, 4, 3, 4, type));
            double tolerance = type == torch.ScalarType.Float64 ? 1e-11 : 2e-5;
            var actual = Run();
            module.to(torch.float64);
            module.Composes = true;
            var expected = Run();
            foreach (var (name, own) in expected)
            {
                var gradient = actual[name];
                Assert.That(gradient is null, Is.EqualTo(own is null), name);
                if (own is not null)
                {
                    double largest = own.abs().max().item<double>();
                    Assert.That(Maps.Error(gradient!.to(torch.float64), own), Is.LessThan(tolerance * (1 + largest)), name);
                }
            }
            module.Dispose();

            Dictionary<string, torch.Tensor?> Run()
            {
                module.zero_grad();
                var read = module.parameters().First().dtype;
                var maps = new[] { image, features }.Select(map => map.to(read).clone().requires_grad_()).ToArray();
                var output = module.call(maps[0], maps[1], height, width);
                output.pow(2).sum().backward();
                var all = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.grad?.clone());
                all["image"] = maps[0].grad;
                all["features"] = maps[1].grad;
                all["output"] = output.detach();
                return all;
            }
        }
    }

    [Test]
    public void Periods_are_a_buffer_and_go_with_the_module()
    {
        using var module = new NafUpsampler(Naf);
        Assert.That(module.named_buffers().Select(buffer => buffer.name), Is.EqualTo(new[] { "image_encoder.rope.periods" }));
        Assert.That(module.named_parameters().Select(parameter => parameter.name), Has.None.Contains("rope"));
        module.to(torch.float64);
        Assert.That(module.get_buffer("image_encoder.rope.periods")!.dtype, Is.EqualTo(torch.float64));
        using var defaults = new NafUpsampler();
        Assert.That(defaults.Options, Is.EqualTo(new NafOptions()));
        Assert.That(defaults.get_buffer("image_encoder.rope.periods")!.shape, Is.EqualTo(new long[] { 16 }));
    }

    [Test]
    public void Gradients_are_differences()
    {
        foreach (var module in Modules(torch.float64))
        {
            var (image, features) = (Maps.Random(1, 3, 5, 4), Maps.Random(1, 4, 2, 3));
            GradientCheck.Run(maps => module.call(maps[0], maps[1], 4, 5), image, features);
            module.Dispose();
        }
    }

    [Test]
    public void A_penalty_on_gradients_is_differentiable()
    {
        const double Step = 1e-5;
        using var scope = torch.NewDisposeScope();
        foreach (var module in Modules(torch.float64))
        {
            var (image, features) = (Maps.Random(1, 3, 5, 4), Maps.Random(1, 4, 2, 3));
            var weights = torch.randn([1, 4, 4, 5], torch.float64);
            var direction = torch.randn_like(image);
            Penalty(image).backward();
            double actual = (image.grad! * direction).sum().item<double>();
            double expected = (Moved(Step) - Moved(-Step)) / (2 * Step);
            Assert.That(actual, Is.EqualTo(expected).Within(1e-6 * Math.Max(1, Math.Abs(expected))), module.GetName());

            double Moved(double step) => Penalty((image.detach() + step * direction).requires_grad_()).item<double>();

            torch.Tensor Penalty(torch.Tensor at)
            {
                var output = module.call(at, features, 4, 5);
                var gradient = torch.autograd.grad([output], [at], [weights], retain_graph: true, create_graph: true)[0];
                return gradient.square().sum();
            }
        }
    }

    [Test]
    public void Training_lowers_the_loss_and_reaches_every_parameter_with_influence()
    {
        using var scope = torch.NewDisposeScope();
        foreach (var module in Modules(torch.float32))
        {
            using var optimiser = torch.optim.Adam(module.parameters(), 1e-2);
            var (image, features, target) = (torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4), torch.rand(1, 4, 8, 8));
            var losses = new List<float>();
            for (int step = 0; step < 15; step++)
            {
                using var one = torch.NewDisposeScope();
                optimiser.zero_grad();
                var loss = torch.nn.functional.mse_loss(module.call(image, features, 8, 8), target);
                loss.backward();
                optimiser.step();
                losses.Add(loss.item<float>());
            }
            Assert.That(losses[^1], Is.LessThan(0.97 * losses[0]), module.GetName());
            Assert.That(
                module.named_parameters().Where(entry => entry.parameter.grad is null).Select(entry => entry.name),
                Is.All.Contains("out_proj"));
        }
    }

    [Test]
    public void Features_in_16_bits_and_channels_last_keep_type_and_format()
    {
        using var scope = torch.NewDisposeScope();
        foreach (var module in Modules(torch.float32))
        {
            var (image, features) = (torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4));
            var expected = module.call(image, features, 6, 7);
            var narrow = module.call(image.to_type(torch.bfloat16), features.to_type(torch.bfloat16), 6, 7);
            Assert.That(narrow.dtype, Is.EqualTo(torch.bfloat16));
            Assert.That(Maps.Error(narrow, expected), Is.LessThan(0.05));
            var last = module.call(image, Maps.ChannelsLast(features), 6, 7);
            Assert.That(last.stride()[1], Is.EqualTo(1));
            Assert.That(Maps.Error(last, expected), Is.LessThan(1e-6));
        }
    }

    [Test]
    public void Saved_modules_load_again()
    {
        using var scope = torch.NewDisposeScope();
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var (image, features) = (torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4));
            foreach (var (module, other) in Modules(torch.float32).Zip(Modules(torch.float32)))
            {
                string torchs = Path.Combine(folder, "torch.dat"), tensors = Path.Combine(folder, "module.safetensors");
                var expected = module.call(image, features, 8, 8);
                module.save(torchs);
                module.ToStateDict().Save(tensors);
                Assert.That(Maps.Error(other.call(image, features, 8, 8), expected), Is.GreaterThan(1e-6));
                other.load(torchs);
                Assert.That(Maps.Error(other.call(image, features, 8, 8), expected), Is.Zero);
                Assert.That(other.LoadCheckpoint(tensors).IsComplete, Is.True);
                other.load_state_dict(module.state_dict());
                Assert.That(Maps.Error(other.call(image, features, 8, 8), expected), Is.Zero);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void A_batch_of_no_images_gives_no_images_and_gradients_of_zero()
    {
        using var scope = torch.NewDisposeScope();
        foreach (var module in Modules(torch.float32))
        {
            var (image, features) = (torch.rand(0, 3, 8, 8).requires_grad_(), torch.rand(0, 4, 4, 4).requires_grad_());
            var output = module.call(image, features, 6, 5);
            output.sum().backward();
            Assert.That(output.shape, Is.EqualTo(new long[] { 0, 4, 6, 5 }));
            Assert.That(image.grad!.shape, Is.EqualTo(image.shape));
            Assert.That(features.grad!.shape, Is.EqualTo(features.shape));
            Assert.That(module.parameters().Select(p => p.grad!.abs().max().item<float>()), Is.All.Zero);
        }
    }

    [Test]
    public void Misuse_is_an_error_that_names_the_operand()
    {
        using var scope = torch.NewDisposeScope();
        var (image, features) = (torch.rand(1, 3, 8, 8), torch.rand(1, 4, 4, 4));
        foreach (var module in Modules(torch.float32))
        {
            Assert.That(
                () => module.call(features, image, 8, 8), Throws.ArgumentException.With.Message.Contains("'image'"));
            Assert.That(
                () => module.call(torch.rand(2, 3, 8, 8), features, 8, 8),
                Throws.ArgumentException.With.Message.Contains("2 images"));
            Assert.That(
                () => module.call(image, features.to_type(torch.int32), 8, 8),
                Throws.ArgumentException.With.Message.Contains("'features'"));
            Assert.That(() => module.call(image, features, 0, 8), Throws.InstanceOf<ArgumentOutOfRangeException>());
            Assert.That(() => module.call(null!, features, 8, 8), Throws.ArgumentNullException);
        }
        using var naf = new NafUpsampler(Naf);
        Assert.That(
            () => naf.call(image, torch.rand(1, 5, 4, 4), 8, 8), Throws.ArgumentException.With.Message.Contains("2 heads"));
        Assert.That(
            () => naf.call(torch.rand(1, 3, 1, 8), features, 8, 8), Throws.ArgumentException.With.Message.Contains("mirrored"));
        Assert.That(() => new NafUpsampler(Naf with { Channels = 18 }), Throws.ArgumentException);
        Assert.That(() => new AnyUpUpsampler(AnyUp with { FeatureKernel = 2 }), Throws.ArgumentException);
    }

    private static IEnumerable<ImageGuidedUpsampler> Modules(torch.ScalarType type) =>
        [new NafUpsampler(Naf, dtype: type), new AnyUpUpsampler(AnyUp, dtype: type)];
}
