using NUnit.Framework;
using SapaGpu.Tests.Grids;
using SapaGpu.Tests.Operators;

namespace SapaGpu.Tests.Robustness;

/// <summary>Wrong arguments give the documented exception, whose message names the operands and the remedy.</summary>
[TestFixture]
public sealed class MisuseTests
{
    private static readonly SapaOptions Sapa = new() { EncoderChannels = 4, DecoderChannels = 4 };

    private static ComputeDevice Cpu => TestDevices.Open("cpu");

    [Test]
    public void Dimensions_below_one_are_refused() =>
        Assert.That(
            () => new MapShape(1, 0, 4, 4),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("[1, 0, 4, 4]"));

    [Test]
    public void A_shape_whose_product_overflows_is_refused() =>
        Assert.That(
            () => new MapShape(int.MaxValue, int.MaxValue, int.MaxValue, 2),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("too many elements"));

    [Test]
    public void A_window_problem_that_was_never_set_or_is_huge_has_a_ratio_and_a_text()
    {
        Assert.That(default(WindowShape).Scale, Is.Zero);
        Assert.That(default(WindowShape).ToString(), Does.Contain("Window = 0"));
        var huge = new WindowShape(1, 1, 1, int.MaxValue, 1, 1, 1);
        Assert.That(huge.WeightsShape, Is.EqualTo(default(MapShape)));
        Assert.That(huge.ToString(), Does.Contain("Window = 2147483647"));
    }

    [Test]
    public void Stacked_parameters_with_too_many_channels_are_refused() =>
        Assert.That(
            () => new SapaUpsampler<float>(Cpu, Sapa with { ValueChannels = int.MaxValue }),
            Throws.ArgumentException.With.Message.Contains("more than"));

    [Test]
    public void Gradients_of_nothing_are_disposed_as_nothing()
    {
        new PointwiseProjectionGradients<float>(null, default(ProjectionWeights)).Dispose();
        new SapaGradients<float>(null!, null!, [null!]).Dispose();
        new CarafeGradients<float>(null!, null!).Dispose();
        Assert.That(typeof(CarafeContext<float>).GetConstructors(), Is.Empty, "only a forward makes contexts");
        Assert.That(typeof(SapaDeformableContext<float>).GetConstructors(), Is.Empty, "only a forward makes contexts");
    }

    [Test]
    public void A_shape_that_was_never_set_is_refused() =>
        Assert.That(() => FeatureMap<float>.Create(Cpu, default), Throws.ArgumentException);

    [Test]
    public void A_tensor_that_fits_no_memory_is_refused_with_the_size([Values(1 << 20, 1 << 30)] int size) =>
        Assert.That(
            () => FeatureMap<float>.Create(Cpu, new MapShape(1 << 10, 1 << 10, size, 1)),
            Throws.InstanceOf<InsufficientMemoryException>());

    [Test]
    public void Another_element_type_is_refused() =>
        Assert.That(
            () => FeatureMap<int>.Create(Cpu, new MapShape(1, 1, 1, 1)),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("Int32"));

    [Test]
    public void The_wrong_number_of_values_is_refused()
    {
        Assert.That(
            () => FeatureMap<float>.From(Cpu, new MapShape(1, 2, 3, 4), new float[23]),
            Throws.ArgumentException.With.Message.Contains("24").And.Message.Contains("23"));
        using var tensor = FeatureMap<float>.Create(Cpu, new MapShape(1, 2, 3, 4));
        Assert.That(() => tensor.CopyTo(new float[25]), Throws.ArgumentException.With.Message.Contains("24"));
        Assert.That(() => tensor.CopyFrom(new float[2]), Throws.ArgumentException);
    }

    [Test]
    public void A_crop_outside_the_tensor_is_refused()
    {
        using var tensor = FeatureMap<float>.Create(Cpu, new MapShape(2, 1, 4, 4));
        Assert.That(() => tensor.Crop(1, 0, 4, 4), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => tensor.Crop(0, -1, 2, 2), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => tensor.Crop(0, 1, 2, int.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => tensor.Images(2, 1), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_pointer_that_is_null_or_not_aligned_is_refused()
    {
        Assert.That(() => FeatureMap<float>.Wrap(Cpu, 0, new MapShape(1, 1, 1, 1)), Throws.ArgumentException);
        Assert.That(() => FeatureMap<float>.Wrap(Cpu, 0x1002, new MapShape(1, 1, 1, 1)), Throws.ArgumentException);
    }

    [TestCase("", typeof(ArgumentException))]
    [TestCase("gpu", typeof(ArgumentException))]
    [TestCase("cpu:x", typeof(ArgumentException))]
    [TestCase("cpu:-1", typeof(ArgumentException))]
    [TestCase("cpu:0:0", typeof(ArgumentException))]
    [TestCase("cpu:1", typeof(DeviceUnavailableException))]
    [TestCase("cuda:99", typeof(DeviceUnavailableException))]
    [TestCase("opencl:99", typeof(DeviceUnavailableException))]
    public void An_identifier_of_no_device_is_refused(string id, Type exception) =>
        Assert.That(() => ComputeDevice.Open(id), Throws.TypeOf(exception));

    [Test]
    public void Device_options_out_of_range_are_refused()
    {
        Assert.That(() => ComputeDevice.Open("cpu", new DeviceOptions { Threads = -1 }), Throws.ArgumentException);
        Assert.That(() => ComputeDevice.Open("cpu", new DeviceOptions { VectorBits = 64 }), Throws.ArgumentException);
        Assert.That(
            () => ComputeDevice.Open("cpu", new DeviceOptions { WorkspaceBytes = 0 }), Throws.ArgumentException);
    }

    [Test]
    public void Shapes_that_do_not_belong_together_are_named()
    {
        using var query = Map(1, 4, 8, 8);
        using var key = Map(1, 4, 4, 4);
        using var value = Map(1, 6, 4, 4);
        using var narrow = Map(1, 6, 4, 3);
        using var thin = Map(1, 3, 4, 4);
        using var two = Map(2, 6, 4, 4);
        foreach (var (q, k, v) in new[]
                 {
                     (query, key, narrow), (query, thin, value), (query, key, two), (key, query, value),
                 })
        {
            Assert.That(
                () => WindowAttention.Forward(q, k, v),
                Throws.ArgumentException
                    .With.Message.Contains($"query {q.Shape}")
                    .And.Message.Contains($"key {k.Shape}")
                    .And.Message.Contains($"value {v.Shape}"));
        }
    }

    [TestCase(0)]
    [TestCase(-3)]
    [TestCase(4)]
    [TestCase(17)]
    [TestCase(int.MaxValue)]
    public void A_window_that_is_not_supported_is_refused(int window)
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        Assert.That(
            () => WindowAttention.Forward(query, key, key, new WindowAttentionOptions { Window = window }),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains($"{window}"));
        Assert.That(
            () => WindowSimilarity.Forward(query, key, new() { Window = window }),
            Throws.TypeOf<NotSupportedException>());
    }

    [Test]
    public void Every_reason_is_listed()
    {
        using var query = Map(1, 1, 34, 17);
        using var key = Map(1, 1, 2, 1);
        Assert.That(
            () => WindowAttention.Forward(query, key, key, new WindowAttentionOptions { Window = 16 }),
            Throws.TypeOf<NotSupportedException>()
                .With.Message.Contains("odd").And.Message.Contains("from 1 to 15").And.Message.Contains(
                    "16 times 2x1"));
    }

    [Test]
    public void Weights_whose_channels_are_no_square_are_refused()
    {
        using var weights = Map(1, 8, 4, 4);
        using var value = Map(1, 3, 2, 2);
        Assert.That(
            () => WindowReassembly.Forward(weights, value), Throws.ArgumentException.With.Message.Contains("K²"));
    }

    [Test]
    public void Operands_on_two_devices_are_named_with_the_remedy()
    {
        using var other = ComputeDevice.Open("cpu");
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var value = FeatureMap<float>.Create(other, new MapShape(1, 4, 2, 2));
        Assert.That(
            () => WindowAttention.Forward(query, key, value),
            Throws.TypeOf<DeviceMismatchException>()
                .With.Message.Contains("'query'").And.Message.Contains("'value'").And.Message.Contains("To(device)"));
    }

    [Test]
    public void Nulls_are_refused()
    {
        using var tensor = Map(1, 1, 1, 1);
        Assert.That(() => WindowAttention.Forward(null!, tensor, tensor), Throws.ArgumentNullException);
        Assert.That(() => WindowAttention.Forward(tensor, tensor, tensor, output: null!), Throws.ArgumentNullException);
        Assert.That(() => WindowAttention.Backward<float>(null!, tensor), Throws.ArgumentNullException);
        Assert.That(() => new SapaUpsampler<float>(Cpu, null!), Throws.ArgumentNullException);
    }

    [Test]
    public void A_context_without_a_forward_and_one_of_another_problem_are_refused()
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var output = Map(1, 4, 4, 4);
        using var context = new WindowAttentionContext<float>(Cpu, new WindowShape(1, 2, 2, 3, 2, 4, 4));
        Assert.That(
            () => WindowAttention.Backward(context, output),
            Throws.InvalidOperationException.With.Message.Contains("Forward"));
        Assert.That(
            () => WindowAttention.Forward(query, key, key, output, context: context),
            Throws.ArgumentException.With.Message.Contains("window 3").And.Message.Contains("window 5"));
        Assert.That(
            () => new WindowAttentionContext<float>(Cpu, context.Shape, new WindowAttentionOptions { Window = 7 }),
            Throws.ArgumentException.With.Message.Contains("window 3").And.Message.Contains("window 7"));
    }

    [Test]
    public void Writing_over_an_operand_is_refused()
    {
        using var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 4, 4);
        Assert.That(
            () => WindowAttention.Forward(query, key, key, query),
            Throws.ArgumentException.With.Message.Contains("shares memory"));
        using var both = Map(2, 4, 4, 4);
        using var first = both.Images(0, 1);
        using var second = both.Images(1, 1);
        Assert.That(() => WindowAttention.Forward(first, key, key, second), Throws.Nothing);
        Assert.That(() => WindowAttention.Forward(query, key, key, second), Throws.Nothing);
        using var context = new WindowAttentionContext<float>(Cpu, new WindowShape(1, 4, 4, 5, 1, 4, 4));
        using var grad = Map(1, 4, 4, 4);
        WindowAttention.Forward(query, key, key, second, context: context);
        Assert.That(
            () => WindowAttention.Backward(context, grad, first, first, null),
            Throws.ArgumentException.With.Message.Contains("shares memory"));
    }

    [Test]
    public void What_was_disposed_is_named_and_never_used()
    {
        var query = Map(1, 4, 4, 4);
        using var key = Map(1, 4, 2, 2);
        using var output = WindowAttention.Forward(query, key, key, null, out var context);
        using var view = query.Crop(0, 0, 2, 2);
        query.Dispose();
        query.Dispose();
        Assert.That(() => WindowAttention.Forward(query, key, key), Throws.TypeOf<ObjectDisposedException>()
            .With.Message.Contains("query"));
        Assert.That(() => query.ToArray(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => query.Crop(0, 0, 1, 1), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => WindowAttention.Backward(context, output), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(view.ToArray(), Has.Length.EqualTo(16), "a view outlives the tensor it was made of");
        context.Dispose();
        Assert.That(() => WindowAttention.Backward(context, output), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_disposed_device_is_named()
    {
        var device = ComputeDevice.Open("cpu");
        var tensor = FeatureMap<float>.Create(device, new MapShape(1, 1, 2, 2));
        device.Dispose();
        device.Dispose();
        Assert.That(
            () => FeatureMap<float>.Create(device, new MapShape(1, 1, 1, 1)), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => tensor.ToArray(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => WindowAttention.Forward(tensor, tensor, tensor), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(device.Synchronize, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(tensor.Dispose, Throws.Nothing);
    }

    [Test]
    public void A_module_refuses_what_it_was_not_made_for()
    {
        using var module = new SapaUpsampler<float>(Cpu, new SapaOptions { EncoderChannels = 3, DecoderChannels = 4 });
        using var encoder = Map(1, 3, 4, 4);
        using var decoder = Map(1, 4, 2, 2);
        using var other = Map(1, 5, 4, 4);
        Assert.That(
            () => module.Forward(other, decoder),
            Throws.ArgumentException.With.Message.Contains("3 channels of 'encoder'"));
        using var output = module.Forward(encoder, decoder, out var context);
        using (context)
        {
            using var second = new SapaUpsampler<float>(Cpu, module.Options);
            Assert.That(() => second.Backward(context, output), Throws.ArgumentException);
            Assert.That(() => module.Backward(context, encoder), Throws.ArgumentException);
        }
        Assert.That(
            () => new SapaUpsampler<float>(Cpu, module.Options with { Window = 4 }), Throws.TypeOf<NotSupportedException>());
        Assert.That(
            () => new SapaUpsampler<float>(Cpu, module.Options with { EmbeddingChannels = 0 }),
            Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_disposed_module_is_named()
    {
        var module = new SapaUpsampler<float>(Cpu, new SapaOptions { EncoderChannels = 3, DecoderChannels = 4 });
        using var encoder = Map(1, 3, 4, 4);
        using var decoder = Map(1, 4, 2, 2);
        module.Dispose();
        Assert.That(() => module.Forward(encoder, decoder), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    [DeviceGrid]
    public void Not_a_number_reaches_every_output_that_depends_on_it_and_no_other(
        [ValueSource(typeof(TestDevices), nameof(TestDevices.All))] string device, [Values] MemoryFormat format)
    {
        var opened = TestDevices.Open(device);
        var operands = new AttentionCase(new WindowProblem(1, 3, 9, 3, 2, 4, 16), BorderRule.ZeroLogit);
        operands.Query[0, 1, 2, 2] = double.NaN;
        operands.Value[0, 3, 1, 8] = double.NaN;
        using var query = operands.Query.ToTensor<float>(opened, format);
        using var key = operands.Key.ToTensor<float>(opened, format);
        using var value = operands.Value.ToTensor<float>(opened, format);
        using var output = WindowAttention.Forward(query, key, value, operands.Options);
        var values = ReferenceMap.From(output.Shape, Compare.Values(output));
        for (int c = 0; c < 16; c++)
        {
            for (int y = 0; y < 6; y++)
            {
                for (int x = 0; x < 18; x++)
                {
                    bool poisoned = (y == 2 && x == 2) || (c == 3 && x >= 14);
                    Assert.That(
                        double.IsNaN(values[0, c, y, x].Value), Is.EqualTo(poisoned), $"{device} [0,{c},{y},{x}]");
                }
            }
        }
    }

    private static FeatureMap<float> Map(int batch, int channels, int height, int width)
    {
        var tensor = FeatureMap<float>.Create(Cpu, new MapShape(batch, channels, height, width));
        tensor.Clear();
        return tensor;
    }

    [Test]
    public void Undefined_values_of_enumerations_are_refused()
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        using var map = FeatureMap<float>.Create(device, new MapShape(1, 4, 4, 4));
        using var output = WindowAttention.Forward(map, map, map, new() { Window = 3 }, out var context);
        using (context)
        {
            Refused(() => WindowAttention.Backward(context, output, (Gradients)(1 << 20)).Dispose());
        }
        Refused(() => _ = new WindowAttentionOptions { Border = (BorderRule)9 });
        Refused(() => _ = new WindowAttentionOptions { Normalisation = (ScoreNormalisation)9 });
        Refused(() => _ = new WindowAttentionOptions { HeadValue = (HeadValue)2 });
        Refused(() => _ = Sapa with { Similarity = (Similarity)9 });
        Refused(() => _ = Sapa with { FeatureNorm = (FeatureNormKind)3 });
        Refused(() => _ = Sapa with { Border = (BorderRule)9 });
        Refused(() => _ = Sapa with { Normalisation = (ScoreNormalisation)9 });
        Refused(() => FeatureMap<float>.Create(device, map.Shape, (MemoryFormat)2).Dispose());
        Refused(() => map.ToArray((MemoryFormat)2));
        Refused(() => FeatureMap.Create(device, map.Shape, MemoryFormat.Contiguous, (ElementType)7).Dispose());
        Refused(() => FeatureMap.Create(device, map.Shape, (MemoryFormat)2, ElementType.Float16).Dispose());
        Refused(() => FeatureMap<float>.From(device, map.Shape, map.ToArray(), (MemoryFormat)2).Dispose());
        Refused(() => FeatureMap<float>.Wrap(device, map.DataPointer, map.Shape, (MemoryFormat)2).Dispose());
        Refused(() => FeatureMap.Wrap((ElementType)7, device, map.DataPointer, map.Shape).Dispose());
        Refused(() => map.To((MemoryFormat)2).Dispose());
        Refused(() => _ = new SapaDeformableOptions { EncoderChannels = 4, DecoderChannels = 4, FeatureNorm = (FeatureNormKind)7 });
        Refused(() => OperatorSupport.Reasons(device.Info, (ElementType)7));
        Refused(() => OperatorSupport.Reasons(device.Info, (ElementType)7, 3, 2));
        Refused(() => OperatorSupport.Reasons(device.Info, ElementType.Float32, default, (BorderRule)7));
        Refused(() => Interpolate.Forward(map, 8, 8, (InterpolationMode)5).Dispose());
        Refused(() => Interpolate.Forward(map, output, (InterpolationMode)5));
        Refused(() => Interpolate.Backward(map, 8, 8, (InterpolationMode)5).Dispose());
        Refused(() => Interpolate.Describe(map, 8, 8, (InterpolationMode)5));
        Refused(() => WindowSimilarity.Backward(map, map, map, wanted: (Gradients)(1 << 20)).Dispose());
        Refused(() => ComputeDevice.Open((DeviceKind)5).Dispose());
        Refused(() => ComputeDevice.Enumerate((DeviceKind)5));
        Refused(() => ComputeDevice.WhyUnavailable((DeviceKind)5));

        static void Refused(Action action) => Assert.That(
            action, Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Match("choose|combine"));
    }

    [Test]
    public void A_gradient_wider_than_any_output_is_refused_before_it_is_read([Values] bool hasTarget, [Values] bool isWide)
    {
        // Nothing is behind the pointer.
        const int Size = (1 << 29) + 1;
        using var gradient = FeatureMap<BFloat16>.Wrap(
            Cpu, 4096, new MapShape(1, 1, isWide ? 1 : Size, isWide ? Size : 1));
        using var target = FeatureMap<BFloat16>.Create(Cpu, new MapShape(1, 1, 1, 5));
        Assert.That(
            () =>
            {
                if (hasTarget)
                    Interpolate.Backward(gradient, target);
                else
                    Interpolate.Backward(gradient, 1, 5).Dispose();
            },
            Throws.InstanceOf<ArgumentOutOfRangeException>()
                .With.Message.Contains("'gradOutput'").And.Message.Contains("536,870,912"));
    }

    [TestCase(4)]
    [TestCase(1 << 30)]
    [TestCase(int.MaxValue)]
    public void A_dilation_beyond_the_map_leaves_the_middle_tap(int dilation)
    {
        using var device = ComputeDevice.Open(DeviceKind.Cpu);
        var options = new CarafeOptions { Channels = 4, EncoderKernel = 5, EncoderDilation = dilation };
        using var features = FeatureMap<float>.From(
            device, new MapShape(1, 4, 4, 4), [.. Enumerable.Range(0, 64).Select(i => i / 64f)]);
        using var module = new CarafeUpsampler<float>(device, options, 1);
        using var least = new CarafeUpsampler<float>(device, options with { EncoderDilation = 4 }, 1);
        using var output = module.Forward(features);
        using var expected = least.Forward(features);
        Assert.That(output.ToArray(), Is.EqualTo(expected.ToArray()));
    }

    [Test]
    public void More_threads_than_any_machine_has_are_refused() => Assert.That(
        () => ComputeDevice.Open(DeviceKind.Cpu, options: new DeviceOptions { Threads = 200_000 }),
        Throws.ArgumentException.With.Message.Contains("4,096"));
}
