using SapaGpu.Workloads.Npy;
using SapaGpu.Workloads.Vectors;
using TorchSharp;

namespace SapaGpu.TorchSharp.Tests;

/// <summary>Computes the cases of the test vectors with the functions and modules of torch.</summary>
internal sealed class TorchVectorRunner(torch.ScalarType type) : VectorRunner
{
    /// <summary>Operators that have no function of their own here: they are halves of deformable attention.</summary>
    public static IReadOnlySet<string> LeftOut { get; } = new HashSet<string> { "deform_qk", "deform_av" };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double[]> Run(
        VectorCase vector, ComputeDevice device, MemoryFormat format)
    {
        using var scope = torch.NewDisposeScope();
        var layout = VectorOperators.Layouts[vector.Op];
        var inputs = vector.Tensors
            .Where(tensor => tensor.Role == "input")
            .ToDictionary(tensor => tensor.Name, tensor => Map(vector, layout, tensor.Name, format).requires_grad_());
        using var module = Module(vector);
        if (module is not null)
            Fill(vector, module);
        var output = Output(vector, inputs, module);
        var results = new Dictionary<string, double[]> { ["out"] = Values(output, layout) };
        var gradOutput = Map(vector, layout, "grad_out", format);
        if (vector.Find("dir_q") is not null)
        {
            string[] names = ["q", "k", "v"];
            gradOutput.requires_grad_();
            var gradients = torch.autograd.grad(
                [output], [.. names.Select(name => inputs[name])], [gradOutput], retain_graph: true, create_graph: true);
            torch.autograd.backward(
                gradients, [.. names.Select(name => Map(vector, layout, $"dir_{name}", format))], retain_graph: true);
            results.Add("grad2_grad_out", Values(gradOutput.grad!, layout));
            foreach (var (name, input) in inputs)
            {
                results.Add($"grad2_{name}", Values(input.grad!, layout));
                input.grad!.zero_();
            }
        }
        output.backward([gradOutput]);
        foreach (var (name, input) in inputs)
            results.Add($"grad_{name}", Values(input.grad!, layout));
        foreach (var (name, parameter) in module?.named_parameters() ?? [])
            results.Add($"grad_{name}", Numbers(parameter.grad ?? torch.zeros_like(parameter)));
        return results;
    }

    /// <inheritdoc/>
    public override double[] RunCheckpoint(VectorCase vector, string checkpoint, ComputeDevice device)
    {
        using var scope = torch.NewDisposeScope();
        var layout = VectorOperators.Layouts[vector.Op];
        using var module = Module(vector)!;
        module.LoadCheckpoint(checkpoint);
        var inputs = vector.Tensors
            .Where(tensor => tensor.Role == "input")
            .ToDictionary(tensor => tensor.Name, tensor => Map(vector, layout, tensor.Name, MemoryFormat.ChannelsLast));
        return Values(Output(vector, inputs, module), layout);
    }

    private static void Fill(VectorCase vector, torch.nn.Module module)
    {
        var state = new StateDict();
        foreach (var (name, parameter) in module.state_dict())
        {
            int[] shape = Array.ConvertAll(parameter.shape, size => (int)size);
            state.Add(StateEntry.FromDoubles(name, shape, vector.Load(name).Values, CheckpointType.Float64));
        }
        module.LoadCheckpoint(state);
    }

    private static torch.Tensor Output(
        VectorCase vector, Dictionary<string, torch.Tensor> inputs, torch.nn.Module? module)
    {
        switch (vector.Op)
        {
            case "sim":
                return SapaFunctional.WindowSimilarity(
                    inputs["q"], inputs["k"], new WindowAttentionOptions { Window = vector.Integer("kernel_size") });
            case "atn":
                return SapaFunctional.WindowReassembly(inputs["attn"], inputs["v"]);
            case "carafe":
                return SapaFunctional.Carafe(
                    inputs["features"], inputs["masks"], vector.Integer("kernel_size"), vector.Integer("group_size"));
            case "attention":
                return SapaFunctional.WindowAttention(
                    inputs["q"], inputs["k"], inputs["v"], VectorOperators.Window(vector));
            case "deform_attention":
                return SapaFunctional.DeformableAttention(
                    inputs["q"], inputs["k"], inputs["v"], inputs["offset"], VectorOperators.Points(vector));
            case "cross_attention":
                return SapaFunctional.CrossAttention(
                    inputs["q"],
                    inputs["k"],
                    inputs["v"],
                    VectorCross.Ranges(vector),
                    VectorCross.Options(vector),
                    inputs.GetValueOrDefault("key_bias"));
            case "interpolate":
                int scale = vector.Integer("scale");
                return SapaFunctional.Interpolate(
                    inputs["x"],
                    (int)inputs["x"].shape[2] * scale,
                    (int)inputs["x"].shape[3] * scale,
                    vector.Text("mode") == "nearest" ? InterpolationMode.Nearest : InterpolationMode.Bilinear,
                    vector.Flag("align_corners"));
            case "naf" or "anyup":
                return ((ImageGuidedUpsampler)module!).call(
                    inputs["image"], inputs["features"], vector.Integer("out_height"), vector.Integer("out_width"));
            case "carafe_pack":
                return ((CarafeUpsample)module!).call(inputs["x"]);
            default:
                return ((torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor>)module!).call(
                    inputs["y"], inputs["x"]);
        }
    }

    private static double[] Values(torch.Tensor map, VectorLayout layout) =>
        Numbers(layout == VectorLayout.ChannelsLast ? map.permute(0, 2, 3, 1) : map);

    private static double[] Numbers(torch.Tensor tensor) =>
        tensor.detach().to_type(torch.float64).contiguous().data<double>().ToArray();

    private torch.nn.Module? Module(VectorCase vector) => vector.Op switch
    {
        "naf" => new NafUpsampler(VectorModules.NafOptions(vector), dtype: Parameters),
        "anyup" => new AnyUpUpsampler(VectorModules.AnyUpOptions(vector), dtype: Parameters),
        "carafe_pack" => new CarafeUpsample(VectorModules.CarafeOptions(vector), dtype: Parameters),
        "sapa_d" => new SapaDeformableUpsample(VectorModules.DeformableAttentionOptions(vector), dtype: Parameters),
        "sapa_i" or "sapa_b" or "sapa_g" or "sapa_cat" or "sapa_gn" =>
            new SapaUpsample(VectorModules.Options(vector), dtype: Parameters),
        _ => null,
    };

    private torch.ScalarType Parameters => type == torch.float64 ? torch.float64 : torch.float32;

    private torch.Tensor Map(VectorCase vector, VectorLayout layout, string name, MemoryFormat format)
    {
        NpyArray array = vector.Load(name);
        var shape = layout.ShapeOf(vector.Name, name, array.Shape);
        var values = torch.tensor(array.Values).to_type(type);
        var pixels = layout == VectorLayout.ChannelsLast
            ? values.reshape(shape.Batch, shape.Height, shape.Width, shape.Channels)
            : values.reshape(shape.Batch, shape.Channels, shape.Height, shape.Width).permute(0, 2, 3, 1);
        return format == MemoryFormat.ChannelsLast
            ? pixels.contiguous().permute(0, 3, 1, 2)
            : pixels.permute(0, 3, 1, 2).contiguous();
    }
}
