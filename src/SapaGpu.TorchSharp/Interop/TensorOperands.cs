using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>A map that an operator is called with, and its name in error messages.</summary>
internal readonly record struct NamedMap(string Name, torch.Tensor Map);

/// <summary>
/// Checks operands that come from torch and prepares them: types are promoted, gaps are closed.
/// </summary>
internal static class TensorOperands
{
    /// <summary>
    /// Converts maps to a common type and makes each contiguous or channels-last. Autograd records the conversions.
    /// </summary>
    /// <param name="function">The function that was called, for messages.</param>
    /// <param name="maps">The maps, by the names of the function's parameters.</param>
    /// <exception cref="ArgumentNullException">A map is null.</exception>
    /// <exception cref="ArgumentException">
    /// A map does not have four dimensions, has no channels, rows or columns, or has an unsupported type; or some maps have
    /// images and others have none.
    /// </exception>
    /// <exception cref="InvalidOperationException">The maps are on different devices.</exception>
    public static torch.Tensor[] Prepare(string function, params ReadOnlySpan<NamedMap> maps)
    {
        Check(function, maps);
        var type = maps[0].Map.dtype;
        foreach (var (_, map) in maps)
            type = TorchTypes.Promote(type, map.dtype);
        var prepared = new torch.Tensor[maps.Length];
        for (int i = 0; i < prepared.Length; i++)
            prepared[i] = Dense(maps[i].Map.to_type(type));
        return prepared;
    }

    /// <summary>Checks maps of any types and sizes.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static void Check(string function, params ReadOnlySpan<NamedMap> maps)
    {
        foreach (var (name, map) in maps)
            CheckMap(function, name, map);
        CheckEmptyBatches(function, maps);
        CheckDevices(function, maps);
    }

    /// <summary>Converts a parameter to the type that maps are computed in and makes it contiguous.</summary>
    /// <param name="function">The function that was called, for messages.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="parameter">A vector [N], a matrix [O, I] or the weight of a 1×1 convolution [O, I, 1, 1].</param>
    /// <param name="dimensions">1 for a vector, 2 for a matrix.</param>
    /// <param name="map">A map that the parameter is used with.</param>
    /// <exception cref="ArgumentException">The parameter has another rank or an unsupported type.</exception>
    /// <exception cref="InvalidOperationException">The parameter is on another device.</exception>
    public static torch.Tensor Parameter(
        string function, string name, torch.Tensor parameter, int dimensions, torch.Tensor map)
    {
        ArgumentNullException.ThrowIfNull(parameter, name);
        long[] shape = parameter.shape;
        bool isConvolution = dimensions == 2 && shape.Length == 4 && shape[2] == 1 && shape[3] == 1;
        if (shape.Length != dimensions && !isConvolution)
        {
            string expected = dimensions == 1 ? "a vector [N]" : "a matrix [O, I] or [O, I, 1, 1]";
            throw new ArgumentException(
                $"{function}: expected '{name}' to be {expected}, but got {Describe(parameter)}.", name);
        }
        if (!TorchTypes.IsSupported(parameter.dtype))
            throw new ArgumentException(
                $"{function}: expected '{name}' to be float64, float32, float16 or bfloat16, but got " +
                $"{Describe(parameter)}.",
                name);
        CheckDevices(function, [new NamedMap("input", map), new NamedMap(name, parameter)]);
        var wide = parameter.to_type(TorchTypes.Accumulator(map.dtype));
        return (isConvolution ? wide.flatten(1) : wide).contiguous();
    }

    /// <summary>A map that is contiguous or channels-last: the map itself, or a contiguous copy.</summary>
    public static torch.Tensor Dense(torch.Tensor map) => TorchMemory.FormatOf(map) is null ? map.contiguous() : map;

    private static void CheckMap(string function, string name, torch.Tensor map)
    {
        ArgumentNullException.ThrowIfNull(map, name);
        if (map.dim() != 4)
        {
            throw new ArgumentException(
                $"{function}: expected '{name}' to have 4 dimensions [B, C, H, W], but got {Describe(map)}.", name);
        }
        if (!TorchTypes.IsSupported(map.dtype))
        {
            throw new ArgumentException(
                $"{function}: expected '{name}' to be float64, float32, float16 or bfloat16, but got {Describe(map)}.", name);
        }
        if (map.shape.AsSpan(1).Contains(0))
        {
            throw new ArgumentException(
                $"{function}: expected '{name}' to have at least one channel, row and column, but got {Describe(map)}; only " +
                "the batch may be 0.",
                name);
        }
    }

    private static void CheckEmptyBatches(string function, ReadOnlySpan<NamedMap> maps)
    {
        var (firstName, first) = maps[0];
        foreach (var (name, map) in maps)
        {
            if (map.shape[0] == 0 != (first.shape[0] == 0))
            {
                throw new ArgumentException(
                    $"{function}: expected all maps to have the same batch, but '{firstName}' is {Describe(first)} and " +
                    $"'{name}' is {Describe(map)}.",
                    name);
            }
        }
    }

    private static void CheckDevices(string function, ReadOnlySpan<NamedMap> maps)
    {
        var (firstName, first) = maps[0];
        foreach (var (name, map) in maps)
        {
            if (map.device_type != first.device_type || map.device_index != first.device_index)
            {
                throw new InvalidOperationException(
                    $"{function}: expected all tensors to be on the same device, but '{firstName}' is on " +
                    $"{first.device} and '{name}' is on {map.device}; move one of them with to(device).");
            }
        }
    }

    private static string Describe(torch.Tensor tensor) =>
        $"a {tensor.dtype} tensor of shape [{string.Join(", ", tensor.shape)}] on {tensor.device}";
}
