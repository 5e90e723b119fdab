using SapaGpu.Launch;

namespace SapaGpu;

/// <summary>
/// LayerNorm over the channels of each pixel followed by a linear map, in one kernel; a part of the modules.
/// </summary>
internal sealed class NormalisedProjection<T> : IDisposable
    where T : unmanaged
{
    private readonly string normName;
    private readonly string linearName;
    private readonly ProjectionTensors<T> tensors;

    public NormalisedProjection(
        Device device, string normName, string linearName, int inputs, int outputs, bool hasBias, double epsilon, Random random)
    {
        this.normName = normName;
        this.linearName = linearName;
        tensors = Create(device, inputs, outputs, hasBias, epsilon);
        tensors.NormWeight!.CopyFrom(Initialisation.Constant<T>(inputs, 1));
        tensors.NormBias!.Clear();
        tensors.Weight.CopyFrom(Initialisation.TruncatedNormal<T>((long)inputs * outputs, random));
        tensors.Bias?.Clear();
    }

    /// <summary>Gets the parameters in the order of a state_dict: normalisation first.</summary>
    public IEnumerable<Parameter<T>> Parameters => Name(tensors);

    /// <summary>Computes the embedding of a map.</summary>
    public Embedding<T> Forward(Tensor<T> input)
    {
        // The layout that the window kernels read fastest: planes on the CPU, packs of channels on a GPU.
        var format = input.Device.RunsVectorPrograms ? MemoryFormat.Contiguous : MemoryFormat.ChannelsLast;
        var shape = new TensorShape(
            input.Shape.Batch, tensors.Weight.Shape.Batch, input.Shape.Height, input.Shape.Width);
        var values = Tensor<T>.Create(input.Device, shape, format);
        var statistics = ProjectionKernels<T>.Instance.CreateStatistics(input.Device, input.Shape);
        ProjectionKernels<T>.Instance.Forward(in tensors, input, values, statistics);
        return new Embedding<T>(values, statistics);
    }

    /// <summary>The gradient of the input, written or added, and of the parameters, by name.</summary>
    public void Backward(
        Tensor<T> input,
        Embedding<T> embedding,
        Tensor<T> gradEmbedding,
        Tensor<T> gradInput,
        bool accumulate,
        Dictionary<string, Tensor<T>> gradients)
    {
        ProjectionKernels<T>.Instance.BackwardInput(
            in tensors, input, gradEmbedding, embedding.Statistics, gradInput, accumulate);
        var own = Create(
            input.Device, input.Shape.Channels, tensors.Weight.Shape.Batch, tensors.Bias is not null, tensors.Epsilon);
        foreach (var gradient in Name(own))
            gradients.Add(gradient.Name, gradient.Value);
        ProjectionKernels<T>.Instance.BackwardParameters(
            in tensors, input, gradEmbedding, embedding.Statistics, in own);
    }

    public void Dispose()
    {
        foreach (var parameter in Parameters)
            parameter.Value.Dispose();
    }

    private static ProjectionTensors<T> Create(Device device, int inputs, int outputs, bool hasBias, double epsilon) => new(
        Tensor<T>.Create(device, new TensorShape(outputs, inputs, 1, 1)),
        hasBias ? Tensor<T>.Create(device, new TensorShape(1, outputs, 1, 1)) : null,
        Tensor<T>.Create(device, new TensorShape(1, inputs, 1, 1)),
        Tensor<T>.Create(device, new TensorShape(1, inputs, 1, 1)),
        epsilon);

    private IEnumerable<Parameter<T>> Name(ProjectionTensors<T> named)
    {
        int outputs = named.Weight.Shape.Batch;
        int inputs = named.Weight.Shape.Channels;
        yield return new Parameter<T>($"{normName}.weight", [inputs], named.NormWeight!);
        yield return new Parameter<T>($"{normName}.bias", [inputs], named.NormBias!);
        yield return new Parameter<T>($"{linearName}.weight", [outputs, inputs], named.Weight);
        if (named.Bias is not null)
            yield return new Parameter<T>($"{linearName}.bias", [outputs], named.Bias);
    }
}

/// <summary>The result of a projection with the statistics its backward needs.</summary>
internal sealed record Embedding<T>(Tensor<T> Values, Tensor Statistics) : IDisposable
    where T : unmanaged
{
    public void Dispose()
    {
        Values.Dispose();
        Statistics.Dispose();
    }
}
