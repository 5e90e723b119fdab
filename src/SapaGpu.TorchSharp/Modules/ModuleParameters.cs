using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The parameters of a layer, such as weight and bias, under the names of a state_dict.</summary>
internal sealed class ModuleParameters : torch.nn.Module
{
    private ModuleParameters(string name)
        : base(name)
    {
    }

    /// <summary>
    /// Registers the parameters of the corresponding module of SapaGpu, with the same names and initial distributions.
    /// </summary>
    /// <param name="owner">The module.</param>
    /// <param name="specs">The parameters.</param>
    /// <param name="device">Their device; null for the CPU.</param>
    /// <param name="type">Their type; null for torch's default type.</param>
    public static void Register(
        torch.nn.Module owner, IReadOnlyList<ParameterSpec> specs, torch.Device? device, torch.ScalarType? type)
    {
        using var scope = torch.NewDisposeScope();
        var random = new Random((int)torch.randint(int.MaxValue, [1]).item<long>());
        foreach (var layer in specs.GroupBy(spec => spec.Name[..spec.Name.LastIndexOf('.')]))
        {
            var parameters = new ModuleParameters(layer.Key);
            foreach (var spec in layer)
            {
                var initial = new double[spec.Shape.Aggregate(1, (product, size) => product * size)];
                if (spec.Constant is { } constant)
                    Array.Fill(initial, constant);
                else
                    Initialisation.TruncatedNormal(initial, spec.Deviation, random);
                long[] shape = [.. spec.Shape.Select(size => (long)size)];
                var values = torch.tensor(initial, shape).to(type ?? torch.get_default_dtype(), device ?? torch.CPU);
                var parameter = new global::TorchSharp.Modules.Parameter(values);
                parameter.DetachFromDisposeScope();
                parameters.register_parameter(spec.Name[(layer.Key.Length + 1)..], parameter);
            }
            owner.register_module(layer.Key, parameters);
        }
    }
}
