using NUnit.Framework;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests.Modules;

/// <summary>Modules behave as users of torch know modules.</summary>
[TestFixture]
public sealed class ModuleTests
{
    private static readonly string[] GatedNames =
    [
        "norm_y.weight", "norm_y.bias", "norm_x.weight", "norm_x.bias", "qy.weight", "qy.bias", "qx.weight", "qx.bias",
        "k.weight", "k.bias", "gate.weight", "gate.bias",
    ];

    [SetUp]
    public void Seed() => torch.manual_seed(6);

    [Test]
    public void Parameters_have_the_official_names_and_shapes()
    {
        using var module = new SapaUpsample(new SapaOptions
        {
            EncoderChannels = 6,
            DecoderChannels = 8,
            EmbeddingChannels = 5,
            Similarity = Similarity.GatedBilinear,
        });
        Assert.That(module.named_parameters().Select(p => p.name), Is.EqualTo(GatedNames));
        Assert.That(module.state_dict().Keys, Is.EqualTo(GatedNames));
        Assert.That(module.get_parameter("qy.weight")!.shape, Is.EqualTo(new long[] { 5, 6 }));
        Assert.That(module.get_parameter("norm_x.weight")!.shape, Is.EqualTo(new long[] { 8 }));
    }

    [Test]
    public void The_library_s_own_module_has_the_same_parameters_and_output([Values] Similarity similarity)
    {
        using var scope = torch.NewDisposeScope();
        var options = new SapaOptions { EncoderChannels = 8, DecoderChannels = 8, Similarity = similarity };
        using var module = new SapaUpsample(options);
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        using var own = new SapaUpsampler<float>(device, options);
        own.Load(module.ToStateDict());
        var (encoder, decoder) = (torch.randn(1, 8, 12, 12), torch.randn(1, 8, 6, 6));
        using var x = FeatureMap<float>.From(device, new MapShape(1, 8, 6, 6), decoder.data<float>().ToArray());
        using var y = FeatureMap<float>.From(device, new MapShape(1, 8, 12, 12), encoder.data<float>().ToArray());
        using var expected = own.Forward(y, x);
        Assert.That(
            module.call(encoder, decoder).contiguous().data<float>().ToArray(),
            Is.EqualTo(expected.ToArray()).Within(1e-5));
    }

    [Test]
    public void Initial_values_follow_torch_s_seed_and_the_documented_deviation()
    {
        var options = new SapaOptions { EncoderChannels = 64, DecoderChannels = 64 };
        torch.manual_seed(1);
        using var first = new SapaUpsample(options);
        torch.manual_seed(1);
        using var second = new SapaUpsample(options);
        Assert.That(Maps.Error(first.get_parameter("q.weight"), second.get_parameter("q.weight")), Is.Zero);
        Assert.That(first.get_parameter("q.weight")!.std().item<float>(), Is.EqualTo(0.02).Within(0.002));
        Assert.That(first.get_parameter("norm_x.weight")!.min().item<float>(), Is.EqualTo(1));
        Assert.That(first.get_parameter("k.bias")!.abs().max().item<float>(), Is.Zero);
    }

    [Test]
    public void Moving_to_another_type_moves_the_parameters(
        [Values(torch.ScalarType.Float64, torch.ScalarType.Float16, torch.ScalarType.BFloat16)] torch.ScalarType type)
    {
        using var scope = torch.NewDisposeScope();
        foreach (var module in Guided())
        {
            module.to(type);
            var output = module.call(
                torch.randn(1, 8, 12, 12).to_type(type).requires_grad_(), torch.randn(1, 8, 6, 6).to_type(type));
            output.sum().backward();
            Assert.That(output.dtype, Is.EqualTo(type));
            Assert.That(module.parameters().Select(p => p.dtype), Is.All.EqualTo(type));
            Assert.That(module.parameters().Select(p => p.grad?.dtype), Is.All.EqualTo(type));
            module.Dispose();
        }
    }

    [Test]
    public void Features_in_16_bits_go_with_parameters_in_32()
    {
        using var scope = torch.NewDisposeScope();
        foreach (var module in Guided())
        {
            var output = module.call(
                torch.randn(1, 8, 12, 12).to_type(torch.bfloat16), torch.randn(1, 8, 6, 6).to_type(torch.bfloat16));
            output.sum().backward();
            Assert.That(output.dtype, Is.EqualTo(torch.bfloat16));
            Assert.That(module.parameters().Select(p => p.grad?.dtype), Is.All.EqualTo(torch.float32));
            module.Dispose();
        }
        using var carafe = new CarafeUpsample(new CarafeOptions { Channels = 8 });
        Assert.That(carafe.call(torch.randn(1, 8, 6, 6).to_type(torch.float16)).dtype, Is.EqualTo(torch.float16));
    }

    [Test]
    public void Saved_modules_load_again()
    {
        using var scope = torch.NewDisposeScope();
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var options = new SapaOptions { EncoderChannels = 8, DecoderChannels = 8 };
            using var module = new SapaUpsample(options);
            using var fromTorch = new SapaUpsample(options);
            using var fromTensors = new SapaUpsample(options);
            module.save(Path.Combine(folder, "torch.dat"));
            module.ToStateDict().Save(Path.Combine(folder, "module.safetensors"));
            fromTorch.load(Path.Combine(folder, "torch.dat"));
            var report = fromTensors.LoadCheckpoint(Path.Combine(folder, "module.safetensors"));
            Assert.That(report.IsComplete, Is.True);
            foreach (var (name, parameter) in module.named_parameters())
            {
                Assert.That(Maps.Error(fromTorch.get_parameter(name), parameter), Is.Zero, name);
                Assert.That(Maps.Error(fromTensors.get_parameter(name), parameter), Is.Zero, name);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void A_checkpoint_of_another_module_changes_nothing()
    {
        using var scope = torch.NewDisposeScope();
        using var module = new SapaUpsample(new SapaOptions { EncoderChannels = 8, DecoderChannels = 8 });
        using var other = new SapaUpsample(new SapaOptions { EncoderChannels = 8, DecoderChannels = 9 });
        var before = module.get_parameter("k.weight")!.detach().clone();
        Assert.That(
            () => module.LoadCheckpoint(other.ToStateDict()),
            Throws.InstanceOf<StateMismatchException>().With.Message.Contains("k.weight"));
        Assert.That(Maps.Error(module.get_parameter("k.weight"), before), Is.Zero);
    }

    [Test]
    public void Modules_take_part_in_a_larger_one()
    {
        using var model = new Decoder();
        Assert.That(
            model.state_dict().Keys, Has.Member("up.k.weight").And.Member("carafe.content_encoder.bias").And.Member(
                "head.bias"));
        model.eval();
        Assert.That(model.named_modules().Select(m => m.module.training), Is.All.False);
        model.train();
        Assert.That(model.named_modules().Select(m => m.module.training), Is.All.True);
    }

    [Test]
    public void A_pyramid_goes_through_its_stages()
    {
        using var scope = torch.NewDisposeScope();
        using var pyramid = new FeaturePyramidUpsampler(
            [6, 4], new SapaOptions { EncoderChannels = 1, DecoderChannels = 8 });
        var decoder = torch.randn(1, 8, 4, 5).requires_grad_();
        torch.Tensor[] encoders = [torch.randn(1, 6, 8, 10), torch.randn(1, 4, 16, 20)];
        var output = pyramid.call(decoder, encoders);
        Assert.That(output.shape, Is.EqualTo(new long[] { 1, 8, 16, 20 }));
        Assert.That(Maps.Error(pyramid.Stages(decoder, encoders)[1], output), Is.Zero);
        output.sum().backward();
        Assert.That(pyramid.parameters().Select(p => p.grad), Is.All.Not.Null);
        Assert.That(pyramid.state_dict().Keys, Has.Member("stages.1.q.weight"));
    }

    [Test]
    public void Channels_and_a_scale_are_enough()
    {
        using var scope = torch.NewDisposeScope();
        using var carafe = new CarafeUpsample(6, scale: 3);
        using var deformable = new SapaDeformableUpsample(5, 8, scale: 4);
        using var sapa = new SapaUpsample(5, 8);
        Assert.That(carafe.Options, Is.EqualTo(new CarafeOptions { Channels = 6, Scale = 3 }));
        Assert.That(carafe.call(torch.rand(1, 6, 2, 3)).shape, Is.EqualTo(new long[] { 1, 6, 6, 9 }));
        Assert.That(
            deformable.call(torch.rand(1, 5, 8, 12), torch.rand(1, 8, 2, 3)).shape, Is.EqualTo(new long[] { 1, 8, 8, 12 }));
        Assert.That(
            sapa.call(torch.rand(1, 5, 5, 7), torch.rand(1, 8, 2, 3)).shape, Is.EqualTo(new long[] { 1, 8, 5, 7 }));
        var map = torch.rand(1, 3, 4, 5);
        foreach (var (mode, other) in new[]
                 {
                     (InterpolationMode.Bilinear, torch.InterpolationMode.Bilinear),
                     (InterpolationMode.Nearest, torch.InterpolationMode.Nearest),
                 })
        {
            var expected = torch.nn.functional.interpolate(map, scale_factor: [3, 3], mode: other);
            Assert.That(Maps.Error(SapaFunctional.Interpolate(map, 3, mode), expected), Is.LessThan(1e-6));
        }
        Assert.That(SapaFunctional.Interpolate(map, 2).shape, Is.EqualTo(new long[] { 1, 3, 8, 10 }));
        Assert.That(() => SapaFunctional.Interpolate(map, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => SapaFunctional.Interpolate(map, int.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(
            () => SapaFunctional.Interpolate(map[0], 2), Throws.ArgumentException.With.Message.Contains("[3, 4, 5]"));
    }

    [Test]
    public void An_encoder_map_smaller_than_the_decoder_map_is_refused_unless_asked_for()
    {
        using var scope = torch.NewDisposeScope();
        var options = new SapaOptions { EncoderChannels = 6, DecoderChannels = 6 };
        using var module = new SapaUpsample(options);
        using var smaller = new SapaUpsample(options with { AllowsDownsampling = true });
        var (large, small) = (torch.rand(1, 6, 8, 8), torch.rand(1, 6, 4, 8));
        Assert.That(
            () => module.call(small, large),
            Throws.ArgumentException.With.Message.Contains("[1, 6, 4, 8]").And.Message.Contains("AllowsDownsampling"));
        Assert.That(smaller.call(small, large).shape, Is.EqualTo(small.shape));
    }

    private static IEnumerable<torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>> Guided()
    {
        foreach (var similarity in Enum.GetValues<Similarity>())
        {
            if (similarity != Similarity.InnerProduct)
            {
                yield return new SapaUpsample(
                    new SapaOptions { EncoderChannels = 8, DecoderChannels = 8, Similarity = similarity });
            }
        }
        yield return new SapaDeformableUpsample(new SapaDeformableOptions { EncoderChannels = 8, DecoderChannels = 8 });
    }

    private sealed class Decoder : torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>
    {
        private readonly SapaUpsample up = new(new SapaOptions { EncoderChannels = 4, DecoderChannels = 8 });
        private readonly CarafeUpsample carafe = new(new CarafeOptions { Channels = 8 });
        private readonly global::TorchSharp.Modules.Conv2d head = torch.nn.Conv2d(8, 2, 1);

        public Decoder()
            : base(nameof(Decoder)) => RegisterComponents();

        public override torch.Tensor forward(torch.Tensor encoder, torch.Tensor decoder) =>
            head.call(carafe.call(up.call(encoder, decoder)));
    }
}
