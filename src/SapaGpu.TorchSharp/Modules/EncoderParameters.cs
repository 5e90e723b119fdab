using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The parameters and buffers of an encoder by their names in a state_dict, as a module has them at a call.</summary>
internal sealed class EncoderParameters
{
    private readonly Dictionary<string, torch.Tensor> values = [];

    /// <summary>Names values.</summary>
    /// <param name="specs">What the encoder has.</param>
    /// <param name="values">The values in this order.</param>
    public EncoderParameters(IReadOnlyList<ParameterSpec> specs, IReadOnlyList<torch.Tensor> values)
    {
        Values = values;
        for (int i = 0; i < specs.Count; i++)
            this.values.Add(specs[i].Name, values[i]);
    }

    /// <summary>Gets all values, in the order of the encoder's parameters.</summary>
    public IReadOnlyList<torch.Tensor> Values { get; }

    /// <summary>Gets the type of the first, in which the encoder computes.</summary>
    public torch.ScalarType Type => Values[0].dtype;

    /// <summary>The parameters and buffers that a module has.</summary>
    /// <exception cref="InvalidOperationException">The module was disposed.</exception>
    public static EncoderParameters Of(
        torch.nn.Module module, IReadOnlyList<ParameterSpec> specs, IReadOnlyCollection<string> buffers) => new(
        specs,
        [
            .. specs.Select(
                spec => buffers.Contains(spec.Name) ? module.RequiredBuffer(spec.Name) : module.Required(spec.Name)),
        ]);

    /// <summary>A value that there is.</summary>
    public torch.Tensor Required(string name) => values[name];

    /// <summary>A value, or null.</summary>
    public torch.Tensor? Optional(string name) => values.GetValueOrDefault(name);
}
