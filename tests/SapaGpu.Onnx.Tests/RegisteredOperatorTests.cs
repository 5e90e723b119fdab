using Microsoft.ML.OnnxRuntime;
using Microsoft.Win32.SafeHandles;
using NUnit.Framework;
using SapaGpu.Onnx.Graph;

namespace SapaGpu.Onnx.Tests;

/// <summary>Files in ONNX Runtime with the operators of the library.</summary>
[TestFixture]
internal sealed class RegisteredOperatorTests
{
    private static readonly OnnxExportOptions WithoutFunctions = new() { HasFunctions = false };

    [Test]
    public void Every_option_reaches_the_kernel(
        [Values] BorderRule border,
        [Values] ScoreNormalisation normalisation,
        [Values] HeadValue headValue,
        [Values(3, 5)] int window)
    {
        var options = new WindowAttentionOptions
        {
            Window = window,
            Border = border,
            Normalisation = normalisation,
            Heads = 2,
            HeadValue = headValue,
        };
        Check<float>(options, ElementType.Float32);
    }

    [Test]
    public void Half_precision_is_the_operator_s_own() => Check<Half>(WindowAttentionOptions.Default, ElementType.Float16);

    [Test]
    public void Modules_run_in_the_kernel([Values] Similarity similarity, [Values] bool hasFunctions)
    {
        var options = new SapaOptions { EncoderChannels = 8, DecoderChannels = 8, Similarity = similarity };
        using var module = new SapaUpsampler<float>(TestMaps.Device, options);
        TestMaps.Randomise(module, 3);
        using var run = new OnnxRun(OnnxModel.Export(module, new OnnxExportOptions { HasFunctions = hasFunctions }), Register);
        using var encoder = TestMaps.Random<float>(1, 2, 8, 13, 10);
        using var decoder = TestMaps.Random<float>(2, 2, 8, 6, 5);
        using var expected = module.Forward(encoder, decoder);
        TestMaps.AreEqual(run.Run(encoder, decoder), expected, 2e-5, $"{options}");
    }

    [Test]
    public void Carafe_runs_in_the_kernel([Values] bool isNarrow)
    {
        var options = new CarafeOptions { Channels = 6, CompressedChannels = 4, Groups = 2 };
        if (isNarrow)
            CheckCarafe<Half>(options, 5e-3);
        else
            CheckCarafe<float>(options, 2e-5);
    }

    [Test]
    public void The_kernel_takes_the_place_of_the_function([Values] bool registers)
    {
        using var query = TestMaps.Random<float>(1, 1, 4, 8, 8);
        using var key = TestMaps.Random<float>(2, 1, 4, 4, 4);
        var operations = OnnxRun.Operations(
            OnnxModel.Export(WindowAttentionOptions.Default),
            options =>
            {
                if (registers)
                    options.AddSapaGpu();
            },
            query,
            key,
            key);
        Assert.That(operations.Contains(WindowOperators.Attention), Is.EqualTo(registers));
        Assert.That(operations.Contains("Softmax"), Is.EqualTo(!registers));
    }

    [Test]
    public void Files_without_functions_need_the_registration() => Assert.That(
        () => new OnnxRun(OnnxModel.Export(WindowAttentionOptions.Default, options: WithoutFunctions)),
        Throws.InstanceOf<OnnxRuntimeException>().With.Message.Contains(OperatorDomain.Name));

    [Test]
    public void One_session_serves_many_threads()
    {
        var model = OnnxModel.Export(WindowAttentionOptions.Default, options: WithoutFunctions);
        using var query = TestMaps.Random<float>(1, 1, 4, 12, 12);
        using var key = TestMaps.Random<float>(2, 1, 4, 6, 6);
        using var expected = WindowAttention.Forward(query, key, key);
        using var run = new OnnxRun(model, Register);
        Parallel.For(0, 16, _ => TestMaps.AreEqual(run.Run(query, key, key), expected, 0, "parallel"));
    }

    [Test]
    public void A_second_registration_does_nothing()
    {
        using var query = TestMaps.Random<float>(1, 1, 4, 12, 12);
        using var key = TestMaps.Random<float>(2, 1, 4, 6, 6);
        using var expected = WindowAttention.Forward(query, key, key);
        var model = OnnxModel.Export(WindowAttentionOptions.Default, options: WithoutFunctions);
        using var run = new OnnxRun(model, options =>
        {
            options.AddSapaGpu();
            options.AddSapaGpu();
        });
        TestMaps.AreEqual(run.Run(query, key, key), expected, 0, "twice");
    }

    [TestCase(WindowOperators.Border, "nowhere", "'border'", "zero_logit, masked, replicate, shifted")]
    [TestCase(WindowOperators.Normalisation, "softplus", "'normalisation'", "softmax, sigmoid, none")]
    [TestCase(WindowOperators.HeadValue, "", "'head_value'", "split, shared")]
    [TestCase(WindowOperators.Border, 1L, "needs the attribute 'border'", "zero_logit")]
    [TestCase(WindowOperators.Border, null, "needs the attribute 'border'", "zero_logit")]
    [TestCase(WindowOperators.Normalisation, null, "needs the attribute 'normalisation'", "softmax")]
    [TestCase(WindowOperators.HeadValue, null, "needs the attribute 'head_value'", "split")]
    [TestCase(WindowOperators.Heads, null, "needs the attribute 'heads'", "whole number")]
    [TestCase(WindowOperators.Window, null, "needs the attribute 'kernel_size'", "whole number")]
    [TestCase(WindowOperators.Window, "5", "needs the attribute 'kernel_size'", "whole number")]
    [TestCase(WindowOperators.Window, 4L, "window", "odd")]
    [TestCase(WindowOperators.Window, 17L, "window", "15")]
    [TestCase(WindowOperators.Window, 4294967301L, "4294967301", "out of range")]
    [TestCase(WindowOperators.Heads, 0L, "Heads must be at least 1", "got 0")]
    public void Attributes_that_are_wrong_or_missing_are_refused(string name, object? value, string cause, string known)
    {
        var attributes = WindowOperators.AttributesOf(WindowOperators.Attention, WindowAttentionOptions.Default)
            .Where(attribute => attribute.Name != name)
            .ToList();
        if (value is long number)
            attributes.Add(OnnxAttribute.Of(name, number));
        if (value is string text)
            attributes.Add(OnnxAttribute.Of(name, text));
        RefusesNode(WindowOperators.Attention, attributes, cause, "query", "key", "value");
        RefusesNode(WindowOperators.Attention, attributes, known, "query", "key", "value");
    }

    [Test]
    public void Operands_that_do_not_fit_are_refused_with_the_library_s_message()
    {
        using var run = new OnnxRun(OnnxModel.Export(WindowAttentionOptions.Default, options: WithoutFunctions), Register);
        using var query = TestMaps.Random<float>(1, 1, 4, 8, 8);
        using var key = TestMaps.Random<float>(2, 1, 4, 4, 4);
        using var other = TestMaps.Random<float>(2, 1, 3, 4, 4);
        using var larger = TestMaps.Random<float>(2, 1, 4, 80, 80);
        using var twice = TestMaps.Random<float>(2, 2, 4, 4, 4);
        Refuses(query, other, "'query' must be");
        Refuses(larger, key, "16");
        Refuses(query, twice, "images");
        using var expected = WindowAttention.Forward(query, key, key);
        TestMaps.AreEqual(run.Run(query, key, key), expected, 0, "after failures");

        void Refuses(FeatureMap<float> queries, FeatureMap<float> keys, string cause) => Assert.That(
            () => run.Run(queries, keys, key), Throws.InstanceOf<OnnxRuntimeException>().With.Message.Contains(cause));
    }

    [Test]
    public void Only_options_of_sessions_are_taken()
    {
        using var handle = new SafeFileHandle(0, ownsHandle: false);
        Assert.That(handle.AddSapaGpu, Throws.ArgumentException.With.Message.Contains("SessionOptions"));
        Assert.That(() => ((SessionOptions)null!).AddSapaGpu(), Throws.ArgumentNullException);
        var disposed = new SessionOptions();
        disposed.Dispose();
        Assert.That(disposed.AddSapaGpu, Throws.InstanceOf<ObjectDisposedException>());
    }

    /// <summary>Asserts that no session takes a node with these attributes.</summary>
    internal static void RefusesNode(
        string operation, IEnumerable<OnnxAttribute> attributes, string cause, params string[] operands)
    {
        var graph = new OnnxGraph(operation, TensorType.Float32);
        foreach (string operand in operands)
            graph.Input(operand, "B", $"channels of {operand}", $"rows of {operand}", $"columns of {operand}");
        graph.Output(graph.Call(OperatorDomain.Name, operation, operands, attributes, null), "output", "B", "C", "OH", "OW");
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        options.AddSapaGpu();
        Assert.That(
            () => new InferenceSession(graph.ToFile(), options),
            Throws.InstanceOf<OnnxRuntimeException>().With.Message.Contains(cause));
    }

    private static void Register(SessionOptions options) => options.AddSapaGpu();

    private static void Check<T>(WindowAttentionOptions options, ElementType type)
        where T : unmanaged
    {
        using var run = new OnnxRun(OnnxModel.Export(options, type, WithoutFunctions), Register);
        foreach (var (batch, oh, ow, h, w) in ((int, int, int, int, int)[])[(1, 12, 14, 6, 7), (2, 13, 17, 8, 9)])
        {
            using var query = TestMaps.Random<T>(1, batch, 6, oh, ow);
            using var key = TestMaps.Random<T>(2, batch, 6, h, w);
            using var value = TestMaps.Random<T>(3, batch, 4, h, w);
            using var expected = WindowAttention.Forward(query, key, value, options);
            TestMaps.AreEqual(run.Run(query, key, value), expected, 0, $"{options}, {oh}x{ow} of {h}x{w}");
        }
    }

    private static void CheckCarafe<T>(CarafeOptions options, double bound)
        where T : unmanaged
    {
        using var module = new CarafeUpsampler<T>(TestMaps.Device, options);
        TestMaps.Randomise(module, 5);
        using var run = new OnnxRun(OnnxModel.Export(module, WithoutFunctions), Register);
        using var features = TestMaps.Random<T>(1, 2, options.Channels, 6, 7);
        using var expected = module.Forward(features);
        TestMaps.AreEqual(run.Run(features), expected, bound, $"{options}");
    }
}
