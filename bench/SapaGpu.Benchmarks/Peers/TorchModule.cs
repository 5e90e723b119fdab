using SapaGpu.TorchSharp;
using SapaGpu.Workloads;
using TorchSharp;

namespace SapaGpu.Benchmarks;

/// <summary>
/// A module of SapaGpu inside libtorch, with gradients by autograd, on the operands of our own module.
/// </summary>
internal sealed class TorchModule : IDisposable
{
    private readonly torch.nn.Module<torch.Tensor, torch.Tensor, torch.Tensor> module;
    private readonly torch.Tensor encoder;
    private readonly torch.Tensor decoder;
    private readonly torch.Tensor gradOutput;

    private TorchModule(Operator kind, Stage stage, OperatorSample sample, ElementType type, MemoryFormat format)
    {
        var inputs = sample.Inputs.ToDictionary(input => input.Name);
        encoder = TorchValues.Create(inputs["encoder"], type, format).requires_grad_(true);
        decoder = TorchValues.Create(inputs["decoder"], type, format).requires_grad_(true);
        gradOutput = TorchValues.Create(sample.GradOutput, type, format);
        module = kind switch
        {
            Operator.SapaI => new SapaUpsample(stage.SapaOptions(Similarity.InnerProduct)),
            Operator.SapaB => new SapaUpsample(stage.SapaOptions(Similarity.Bilinear)),
            Operator.SapaG => new SapaUpsample(stage.SapaOptions(Similarity.GatedBilinear)),
            Operator.SapaD => new SapaDeformableUpsample(stage.DeformableAttentionOptions),
            _ => throw new ArgumentException($"{kind} is no module with a guide.", nameof(kind)),
        };
        using var unrecorded = torch.no_grad();
        foreach (var (name, parameter) in module.named_parameters())
        {
            using var values = TorchValues.Create(inputs[name], ElementType.Float32, MemoryFormat.Contiguous);
            parameter.copy_(values.reshape(parameter.shape));
        }
    }

    /// <summary>Makes a module and compares its output with that of our own.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public static TorchModule Create(Operator kind, Stage stage, ElementType type, MemoryFormat format)
    {
        var sample = Peer.Sample(kind, stage, type, format);
        var module = new TorchModule(kind, stage, sample, type, format);
        using var scope = torch.NewDisposeScope();
        TorchValues.Check(
            $"{kind} inside libtorch", module.module.call(module.encoder, module.decoder), sample.Output, type);
        return module;
    }

    /// <summary>One forward and the gradients of inputs and parameters.</summary>
    public void Both()
    {
        using var scope = torch.NewDisposeScope();
        var output = module.call(encoder, decoder);
        torch.autograd.grad([output], [encoder, decoder, .. module.parameters()], [gradOutput]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        module.Dispose();
        encoder.Dispose();
        decoder.Dispose();
        gradOutput.Dispose();
    }
}
