using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using SapaGpu.Tests;

namespace SapaGpu.Onnx.Tests;

/// <summary>Runs files in ONNX Runtime on maps of the library.</summary>
internal sealed class OnnxRun : IDisposable
{
    private readonly SessionOptions options;
    private readonly InferenceSession session;

    public OnnxRun(OnnxModel model, Action<SessionOptions>? configure = null)
        : this(model.ToArray(), configure)
    {
    }

    public OnnxRun(byte[] file, Action<SessionOptions>? configure = null)
    {
        options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, IntraOpNumThreads = 1 };
        configure?.Invoke(options);
        session = new InferenceSession(file, options);
    }

    /// <summary>Runs the file on operands in the order of its inputs.</summary>
    public (long[] Shape, T[] Values) Run<T>(params FeatureMap<T>[] operands)
        where T : unmanaged
    {
        var inputs = new Dictionary<string, OrtValue>();
        try
        {
            foreach (var (name, operand) in session.InputNames.Zip(operands))
                inputs.Add(name, ValueOf(operand));
            using var run = new RunOptions();
            using var results = session.Run(run, inputs, session.OutputNames);
            var info = results[0].GetTensorTypeAndShape();
            return (info.Shape, MemoryMarshal.Cast<byte, T>(results[0].GetTensorMutableRawData()).ToArray());
        }
        finally
        {
            foreach (var input in inputs.Values)
                input.Dispose();
        }
    }

    /// <summary>Returns the operators that a run of a file executes, those of functions and branches among them.</summary>
    public static HashSet<string> Operations(
        OnnxModel model, Action<SessionOptions> configure, params FeatureMap<float>[] operands)
    {
        using var folder = new TemporaryFolder();
        using var run = new OnnxRun(model, options =>
        {
            options.EnableProfiling = true;
            options.ProfileOutputPathPrefix = folder["profile"];
            configure(options);
        });
        run.Run(operands);
        using var document = JsonDocument.Parse(File.ReadAllText(run.session.EndProfiling()));
        var names = new HashSet<string>();
        foreach (var entry in document.RootElement.EnumerateArray())
        {
            if (entry.TryGetProperty("args", out var arguments) && arguments.TryGetProperty("op_name", out var name))
                names.Add(name.GetString()!);
        }
        return names;
    }

    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }

    private static OrtValue ValueOf<T>(FeatureMap<T> map)
        where T : unmanaged
    {
        var shape = map.Shape;
        var value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance,
            typeof(T) == typeof(Half)
                ? Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float16
                : Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float,
            [shape.Batch, shape.Channels, shape.Height, shape.Width]);
        map.ToArray(MemoryFormat.Contiguous).CopyTo(MemoryMarshal.Cast<byte, T>(value.GetTensorMutableRawData()));
        return value;
    }
}
