using SapaGpu.Maps;

namespace SapaGpu.Workloads.Vectors;

/// <summary>The maps of a case on a device, and the results that were computed from them.</summary>
/// <typeparam name="T">The element type.</typeparam>
internal sealed class VectorOperands<T>(
    VectorCase vector, VectorLayout layout, ComputeDevice device, MemoryFormat format)
    : IDisposable
    where T : unmanaged
{
    private readonly List<FeatureMap<T>> loaded = [];
    private readonly Dictionary<string, double[]> results = [];

    public VectorCase Case => vector;

    public ComputeDevice Device => device;

    public IReadOnlyDictionary<string, double[]> Results => results;

    /// <summary>Loads a map.</summary>
    public FeatureMap<T> this[string name]
    {
        get
        {
            var array = vector.Load(name);
            var shape = ShapeOf(name, array.Shape);
            var values = Array.ConvertAll(array.Values, ElementTypes.FromDouble<T>);
            var tensor = FeatureMap<T>.From(device, shape, MapLayout.Reorder(values, shape, Order, format), format);
            loaded.Add(tensor);
            return tensor;
        }
    }

    private MemoryFormat Order =>
        layout == VectorLayout.ChannelsLast ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous;

    /// <summary>Keeps a map as a result and disposes it.</summary>
    public void Keep(string name, FeatureMap<T> tensor)
    {
        results.Add(name, Array.ConvertAll(tensor.ToArray(Order), ElementTypes.ToDouble));
        tensor.Dispose();
    }

    /// <summary>Keeps the gradients of a module's parameters and disposes them.</summary>
    public void Keep(IEnumerable<Parameter> gradients)
    {
        foreach (var gradient in gradients)
        {
            Keep($"grad_{gradient.Name}", gradient);
            gradient.Value.Dispose();
        }
    }

    /// <summary>Keeps the values of a parameter as a result.</summary>
    public void Keep(string name, Parameter parameter) => results.Add(name, parameter.Read());

    /// <summary>Sets the parameters of a module to those of the case.</summary>
    public void Fill(UpsamplerModule<T> module)
    {
        foreach (var parameter in module.Parameters)
            parameter.Write(vector.Load(parameter.Name).Values);
    }

    public void Dispose()
    {
        foreach (var tensor in loaded)
            tensor.Dispose();
    }

    private MapShape ShapeOf(string name, int[] shape) => layout.ShapeOf(vector.Name, name, shape);
}
