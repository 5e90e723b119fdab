using SapaGpu.Layers;
using SapaGpu.Operators;
using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// The encoder of the library on the processor, with parameters and maps in torch's memory: several times as fast as one of torch's
/// operators.
/// </summary>
internal static class LibraryEncoder
{
    /// <summary>
    /// Whether the encoder can compute: on the processor, with parameters in the types that it computes in, without gaps.
    /// </summary>
    public static bool Suits(torch.Tensor image, EncoderParameters parameters)
    {
        var type = parameters.Type;
        return image.device_type == DeviceType.CPU
            && type == TorchTypes.Accumulator(type)
            && parameters.Values.All(
                value => value.dtype == type && value.device_type == DeviceType.CPU && value.is_contiguous());
    }

    /// <summary>Computes queries and keys.</summary>
    /// <param name="definition">The encoder.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="image">The image in their type, contiguous or channels-last.</param>
    /// <param name="features">The features likewise; of any type where only their shape matters.</param>
    /// <param name="height">The rows of the queries.</param>
    /// <param name="width">Their columns.</param>
    /// <param name="trace">What the backward needs.</param>
    public static (torch.Tensor Query, torch.Tensor Key) Encode(
        AttentionEncoder definition,
        EncoderParameters parameters,
        torch.Tensor image,
        torch.Tensor features,
        int height,
        int width,
        Trace trace)
    {
        using var own = Wrap(definition, parameters.Values);
        using var cells = Wrap(features);
        using var pixels = Wrap(image);
        var output = new MapShape(cells.Shape.Batch, cells.Shape.Channels, height, width);
        var (query, key) = definition.Forward(own, Precision.Prepare(pixels), cells, output, trace);
        GC.KeepAlive(parameters);

        // Keys that are not pooled are the queries.
        bool isSame = query.DataPointer == key.DataPointer;
        var queries = LentMemory.Lend(query);
        if (!isSame)
            return (queries, LentMemory.Lend(key));
        key.Dispose();
        return (queries, queries.clone());
    }

    /// <summary>Computes the gradients of image, features and parameters; null for those that are not wanted or have none.</summary>
    /// <param name="definition">The encoder.</param>
    /// <param name="parameters">The parameters of the forward.</param>
    /// <param name="shapes">The shapes of queries and keys.</param>
    /// <param name="gradients">Their gradients; null for 0.</param>
    /// <param name="trace">What the forward kept.</param>
    /// <param name="wanted">Whether the gradient of the image is wanted, of the features, and of every parameter.</param>
    public static torch.Tensor?[] Backward(
        AttentionEncoder definition,
        IReadOnlyList<torch.Tensor> parameters,
        (MapShape Query, MapShape Key) shapes,
        (torch.Tensor? Query, torch.Tensor? Key) gradients,
        Trace trace,
        IReadOnlyList<bool> wanted)
    {
        torch.Tensor[] results = [.. parameters.Select(parameter => torch.empty_like(parameter))];
        using var own = Wrap(definition, parameters);
        using var ofParameters = Wrap(definition, results);
        var like = parameters[0];
        var (image, features) = definition.Backward(
            own,
            ofParameters,
            Own(gradients.Query, shapes.Query, like),
            Own(gradients.Key, shapes.Key, like),
            trace.Read());
        return
        [
            Taken(image, wanted[0]),
            Taken(features, wanted[1]),
            .. results.Select((result, i) => Passed(result, wanted[i + 2])),
        ];
    }

    private static torch.Tensor? Passed(torch.Tensor result, bool isWanted)
    {
        if (isWanted)
            return result;
        result.Dispose();
        return null;
    }

    private static torch.Tensor? Taken(FeatureMap? map, bool isWanted)
    {
        if (map is null)
            return null;
        if (isWanted)
            return LentMemory.Lend(map);
        map.Dispose();
        return null;
    }

    // Gradients of queries and keys are written over.
    private static FeatureMap Own(torch.Tensor? gradient, MapShape shape, torch.Tensor like)
    {
        var map = FeatureMap.Create(
            TorchDevices.Of(like.device), shape, MemoryFormat.ChannelsLast, TorchTypes.ElementOf(like.dtype));
        if (gradient is null)
        {
            map.Clear();
            return map;
        }
        var dense = TensorOperands.Dense(gradient);
        using var source = Wrap(dense);
        Conversions.Copy(source, map);
        GC.KeepAlive(dense);
        return map;
    }

    private static ParameterSet Wrap(AttentionEncoder definition, IReadOnlyList<torch.Tensor> values) => new(
        definition.Specs,
        [.. definition.Specs.Zip(values, (spec, value) => WrapAs(value, Parameter.ShapeOf(spec.Shape)))]);

    private static FeatureMap WrapAs(torch.Tensor value, MapShape shape) => value.dtype == torch.ScalarType.Float64
        ? TorchMemory.WrapAs<double>(value, shape)
        : TorchMemory.WrapAs<float>(value, shape);

    private static FeatureMap Wrap(torch.Tensor map) => map.dtype switch
    {
        torch.ScalarType.Float64 => TorchMemory.Wrap<double>(map),
        torch.ScalarType.Float16 => TorchMemory.Wrap<Half>(map),
        torch.ScalarType.BFloat16 => TorchMemory.Wrap<BFloat16>(map),
        _ => TorchMemory.Wrap<float>(map),
    };
}
