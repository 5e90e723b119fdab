using SapaGpu.Layers;

namespace SapaGpu.Workloads.Vectors;

/// <summary>How cases of single layers of encoders are computed with the library.</summary>
internal static class VectorLayers
{
    private const string Periods = "periods";

    /// <summary>The layer of a case; null if the case is of something else.</summary>
    public static Layer? Of(VectorCase vector) => vector.Op switch
    {
        "rope" => new PeriodicRotary(Periods, vector.Integer("head_channels"), vector.NumberOr("base", 100)),
        "adaptive_avg_pool" => new Pooling(vector.Integer("out_height"), vector.Integer("out_width")),
        "resize_bilinear" => new Resizing(vector.Integer("out_height"), vector.Integer("out_width")),
        "rms_norm" => new PixelNormLayer("weight", vector.Integer("channels"), vector.NumberOr("eps", 0)),
        "norm_silu_conv" => new ActivatedConvolution(
            "norm",
            vector.Integer("num_groups"),
            vector.NumberOr("eps", 1e-5),
            new ConvolutionLayer(
                "conv",
                vector.Integer("in_channels"),
                vector.Integer("out_channels"),
                vector.Integer("kernel"),
                vector.Flag("conv_bias"),
                mirrors: true)),
        "feature_unification" =>
            new UnificationLayer("basis", vector.Integer("out_channels"), vector.Integer("kernel")),
        _ => null,
    };

    /// <summary>Computes output and gradients. As in modules, the arithmetic is in the type of the parameters.</summary>
    public static void Run<T>(VectorOperands<T> operands, Layer layer)
        where T : unmanaged
    {
        using var parameters = new ParameterSet(
            operands.Device, ElementTypes.Of<T>().Accumulator(), [.. layer.Specs]);
        parameters.Initialise(new Random(0));
        foreach (var parameter in parameters.Parameters.Where(parameter => parameter.Name != Periods))
            parameter.Write(operands.Case.Load(parameter.Name).Values);
        using var gradients = parameters.CreateLike();
        using var trace = new Trace(keeps: true);
        using var output = layer.Forward(parameters, Precision.Widen(operands["x"]), trace);
        operands.Keep("out", Precision.Narrow<T>(output));
        using var gradInput = layer.Backward(
            parameters, gradients, Precision.Widen(operands["grad_out"]), trace.Read());
        operands.Keep("grad_x", Precision.Narrow<T>(gradInput));
        foreach (var gradient in gradients.Parameters)
            operands.Keep($"grad_{gradient.Name}", gradient);
    }
}
