using SapaGpu.Layers;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>The parameters of a layer, such as weight and bias, and layers in it, under the names of a state_dict.</summary>
internal sealed class ModuleParameters : torch.nn.Module
{
    private ModuleParameters(string name)
        : base(name)
    {
    }

    /// <summary>
    /// Registers the parameters of the corresponding module of SapaGpu, with the same names and initial distributions. Dots in a
    /// name lead through modules, as in torch.
    /// </summary>
    /// <param name="owner">The module.</param>
    /// <param name="specs">The parameters.</param>
    /// <param name="device">Their device; null for the CPU.</param>
    /// <param name="type">Their type; null for torch's default type.</param>
    /// <param name="buffers">The names of those that are buffers, which are not trained.</param>
    public static void Register(
        torch.nn.Module owner,
        IReadOnlyList<ParameterSpec> specs,
        torch.Device? device,
        torch.ScalarType? type,
        params IReadOnlyCollection<string> buffers)
    {
        using var scope = torch.NewDisposeScope();
        var random = new Random((int)torch.randint(int.MaxValue, [1]).item<long>());
        var modules = new Dictionary<string, torch.nn.Module> { [string.Empty] = owner };
        foreach (var spec in specs)
        {
            var (layer, name) = Split(spec.Name);
            long[] shape = [.. spec.Shape.Select(size => (long)size)];
            var values = torch.tensor(Initial(spec, random), shape).to(type ?? torch.get_default_dtype(), device ?? torch.CPU);
            if (buffers.Contains(spec.Name))
            {
                Module(layer).register_buffer(name, values.DetachFromDisposeScope());
                continue;
            }
            var parameter = new global::TorchSharp.Modules.Parameter(values);
            parameter.DetachFromDisposeScope();
            Module(layer).register_parameter(name, parameter);
        }

        torch.nn.Module Module(string path)
        {
            if (modules.TryGetValue(path, out var found))
                return found;
            var (parent, name) = Split(path);
            var module = new ModuleParameters(name);
            Module(parent).register_module(name, module);
            modules.Add(path, module);
            return module;
        }
    }

    private static (string Parent, string Name) Split(string path)
    {
        int dot = path.LastIndexOf('.');
        return dot < 0 ? (string.Empty, path) : (path[..dot], path[(dot + 1)..]);
    }

    private static double[] Initial(ParameterSpec spec, Random random)
    {
        if (spec.Values is { } values)
            return [.. values];
        var initial = new double[spec.Shape.Aggregate(1, (product, size) => product * size)];
        if (spec.Constant is { } constant)
            Array.Fill(initial, constant);
        else
            Initialisation.TruncatedNormal(initial, spec.Deviation, random);
        return initial;
    }
}
