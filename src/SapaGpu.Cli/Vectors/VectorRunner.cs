namespace SapaGpu.Cli.Vectors;

/// <summary>Computes a case: its outputs and gradients by name, in the order of the files.</summary>
internal abstract class VectorRunner
{
    /// <summary>Says why a case cannot be run; null if it can.</summary>
    public static string? WhyUnsupported(VectorCase vector, DeviceInfo device, ElementType elementType)
    {
        if (vector.Op is not ("sim" or "atn" or "attention" or "sapa_b"))
            return $"the operator {vector.Op} is not in this version";
        if (vector.Text("normalization") is { } normalization and not "softmax")
            return $"the normalisation {normalization} is not in this version";
        if (vector.Flag("v_embed"))
            return "a value projection is not in this version";
        var reasons = OpSupport.Reasons(
            device, elementType, vector.Integer("kernel_size"), vector.Integer("scale"));
        return reasons.Count > 0 ? string.Join("; ", reasons) : null;
    }

    /// <summary>The runner of an element type.</summary>
    public static VectorRunner For(ElementType elementType) =>
        elementType == ElementType.Float64 ? new VectorRunner<double>() : new VectorRunner<float>();

    /// <summary>Runs a case with all maps in one memory format.</summary>
    public abstract IReadOnlyDictionary<string, double[]> Run(VectorCase vector, Device device, MemoryFormat format);
}

/// <summary>The runner of one element type.</summary>
internal sealed class VectorRunner<T> : VectorRunner
    where T : unmanaged
{
    private readonly Dictionary<string, double[]> results = [];

    public override IReadOnlyDictionary<string, double[]> Run(VectorCase vector, Device device, MemoryFormat format)
    {
        results.Clear();
        switch (vector.Op)
        {
            case "sim":
                Similarity(vector, device, format);
                break;
            case "atn":
                Reassembly(vector, device, format);
                break;
            case "attention":
                Attention(vector, device, format);
                break;
            case "sapa_b":
                Module(vector, device, format);
                break;
            default:
                throw new NotSupportedException($"The operator {vector.Op} is not in this version.");
        }
        return results;
    }

    private static Tensor<T> Load(VectorCase vector, string name, Device device, MemoryFormat format)
    {
        var array = vector.Load(name);
        if (array.Shape.Length != 4)
            throw new InvalidDataException($"{vector.Name}: '{name}' has shape {array.ShapeText}, not [B, H, W, C].");
        var shape = new TensorShape(array.Shape[0], array.Shape[3], array.Shape[1], array.Shape[2]);
        var values = Array.ConvertAll(array.Values, ElementTypes.FromDouble<T>);
        return Tensor<T>.From(
            device, shape, TensorLayout.Reorder(values, shape, MemoryFormat.ChannelsLast, format), format);
    }

    private static double ToDouble(T value) => typeof(T) == typeof(double) ? (double)(object)value : (float)(object)value;

    private static WindowAttentionOptions Options(VectorCase vector) => new()
    {
        Window = vector.Integer("kernel_size"),
        Border = vector.Flag("mask_out_of_map") ? BorderRule.Masked : BorderRule.ZeroLogit,
    };

    private void Keep(string name, Tensor<T> tensor)
    {
        results.Add(name, Array.ConvertAll(tensor.ToArray(MemoryFormat.ChannelsLast), ToDouble));
        tensor.Dispose();
    }

    private void Similarity(VectorCase vector, Device device, MemoryFormat format)
    {
        using var query = Load(vector, "q", device, format);
        using var key = Load(vector, "k", device, format);
        using var gradOutput = Load(vector, "grad_out", device, format);
        Keep("out", WindowSimilarity.Forward(query, key, vector.Integer("kernel_size")));
        var (gradQuery, gradKey) = WindowSimilarity.Backward(query, key, gradOutput);
        Keep("grad_q", gradQuery);
        Keep("grad_k", gradKey);
    }

    private void Reassembly(VectorCase vector, Device device, MemoryFormat format)
    {
        using var weights = Load(vector, "attn", device, format);
        using var value = Load(vector, "v", device, format);
        using var gradOutput = Load(vector, "grad_out", device, format);
        Keep("out", WindowReassembly.Forward(weights, value));
        var (gradWeights, gradValue) = WindowReassembly.Backward(weights, value, gradOutput);
        Keep("grad_attn", gradWeights);
        Keep("grad_v", gradValue);
    }

    private void Attention(VectorCase vector, Device device, MemoryFormat format)
    {
        using var query = Load(vector, "q", device, format);
        using var key = Load(vector, "k", device, format);
        using var value = Load(vector, "v", device, format);
        using var gradOutput = Load(vector, "grad_out", device, format);
        Keep("out", WindowAttention.Forward(query, key, value, Options(vector), out var context));
        using (context)
        {
            var gradients = WindowAttention.Backward(context, gradOutput);
            Keep("grad_q", gradients.Query!);
            Keep("grad_k", gradients.Key!);
            Keep("grad_v", gradients.Value!);
        }
    }

    private void Module(VectorCase vector, Device device, MemoryFormat format)
    {
        using var module = new SapaUpsampler<T>(device, new SapaOptions
        {
            EncoderChannels = vector.Integer("y_channels"),
            DecoderChannels = vector.Integer("x_channels"),
            EmbeddingChannels = vector.Integer("embedding_dim"),
            Window = vector.Integer("kernel_size"),
            Border = Options(vector).Border,
            HasBias = vector.Flag("qkv_bias"),
            Epsilon = vector.Number("eps"),
        });
        foreach (var parameter in module.Parameters)
            parameter.Value.CopyFrom(Array.ConvertAll(vector.Load(parameter.Name).Values, ElementTypes.FromDouble<T>));
        using var encoder = Load(vector, "y", device, format);
        using var decoder = Load(vector, "x", device, format);
        using var gradOutput = Load(vector, "grad_out", device, format);
        Keep("out", module.Forward(encoder, decoder, out var context));
        using (context)
        {
            var gradients = module.Backward(context, gradOutput);
            Keep("grad_y", gradients.Encoder);
            Keep("grad_x", gradients.Decoder);
            foreach (var (name, gradient) in gradients.Parameters)
            {
                results.Add($"grad_{name}", Array.ConvertAll(gradient.ToArray(), ToDouble));
                gradient.Dispose();
            }
        }
    }
}
