using TorchSharp;

namespace SapaGpu.TorchSharp;

/// <summary>
/// A 1×1 convolution, after LayerNorm if there is a factor. Inputs: the map, the matrix, and bias, factor and offset,
/// each of which may be null.
/// </summary>
internal sealed class ProjectionOperator(double epsilon) : Operator
{
    private const int ParameterCount = 4;

    // Which parameters are given; only these are among the saved tensors, in the same order.
    private readonly bool[] present = new bool[ParameterCount];

    private bool HasNorm => present[2];

    protected override torch.Tensor Forward<T>(IReadOnlyList<torch.Tensor?> inputs, List<torch.Tensor>? saved)
    {
        for (int i = 0; i < ParameterCount; i++)
            present[i] = inputs[i + 1] is not null;
        var map = inputs[0]!;
        using var input = TorchMemory.Wrap<T>(map);
        using var parameters = new Parameters<T>([.. inputs.Skip(1)], epsilon);
        // The window kernels read contiguous maps fastest on the CPU, channels-last maps on a GPU.
        var format = map.device_type == DeviceType.CPU ? MemoryFormat.Contiguous : MemoryFormat.ChannelsLast;
        var shape = input.Shape;
        var result = TorchMemory.Create(
            new MapShape(shape.Batch, parameters.Tensors.Weight.Shape.Batch, shape.Height, shape.Width),
            format,
            map.dtype,
            map.device);
        var statistics = HasNorm
            ? TorchMemory.Create(
                FeatureNorm.StatisticsShape(shape, groups: 0),
                MemoryFormat.Contiguous,
                TorchTypes.Accumulator(map.dtype),
                map.device)
            : null;
        using var output = TorchMemory.Wrap<T>(result);
        using var kept = statistics is null ? null : TorchMemory.WrapAccumulator<T>(statistics);
        PointwiseProjection.Forward(input, parameters.Tensors, output, kept);
        saved?.AddRange(inputs.OfType<torch.Tensor>());
        if (statistics is not null)
            saved?.Add(statistics);
        return result;
    }

    protected override torch.Tensor?[] Backward<T>(
        IReadOnlyList<torch.Tensor> saved, torch.Tensor gradOutput, IReadOnlyList<bool> wanted)
    {
        using var input = TorchMemory.Wrap<T>(saved[0]);
        using var gradient = TorchMemory.Wrap<T>(gradOutput);
        var own = new torch.Tensor?[ParameterCount];
        int next = 1;
        for (int i = 0; i < ParameterCount; i++)
            own[i] = present[i] ? saved[next++] : null;
        using var parameters = new Parameters<T>(own, epsilon);
        using var statistics = HasNorm ? TorchMemory.WrapAccumulator<T>(saved[next]) : null;
        // All gradients of the parameters come from one sum over the pixels, so they are computed together.
        bool wantsParameters = wanted.Skip(1).Contains(true);
        torch.Tensor?[] gradients =
        [
            Room(wanted[0], saved[0]),
            .. own.Select(parameter => parameter is null || !wantsParameters ? null : torch.empty_like(parameter)),
        ];
        using var gradInput = WrapRoom<T>(gradients[0]);
        using var gradParameters = wantsParameters ? new Parameters<T>(gradients[1..], epsilon) : null;
        PointwiseProjection.Backward(
            input, parameters.Tensors, statistics, gradient, gradInput, gradParameters?.Tensors);
        return [.. gradients.Select((result, i) => wanted[i] ? result : null)];
    }

    private sealed class Parameters<T> : IDisposable
        where T : unmanaged
    {
        private readonly FeatureMap?[] wrapped;

        public Parameters(torch.Tensor?[] parameters, double epsilon)
        {
            wrapped = Array.ConvertAll(parameters, p => p is null ? null : TorchMemory.WrapParameter<T>(p));
            Tensors = new ProjectionWeights(wrapped[0]!, wrapped[1], wrapped[2], wrapped[3], epsilon);
        }

        public ProjectionWeights Tensors { get; }

        public void Dispose()
        {
            foreach (var tensor in wrapped)
                tensor?.Dispose();
        }
    }
}
