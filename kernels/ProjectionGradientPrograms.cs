using System.Numerics;

namespace SapaGpu.Kernels;

/// <summary>Adds the sums of all chunks, in order, into those of the first.</summary>
public readonly struct ChunkReduction<TStorage, TAccumulator>
    : IElementProgram<ProjectionGradientParameters<TStorage, TAccumulator>>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static long Count(in ProjectionGradientParameters<TStorage, TAccumulator> parameters) =>
        (long)parameters.OutputChannels * (parameters.InputChannels + 1);

    /// <inheritdoc/>
    public static double OperationsPerElement(in ProjectionGradientParameters<TStorage, TAccumulator> parameters) =>
        parameters.Chunks;

    /// <inheritdoc/>
    public static void Apply(in ProjectionGradientParameters<TStorage, TAccumulator> parameters, long index)
    {
        long stride = Count(in parameters);
        var sum = parameters.Partials[index];
        for (int chunk = 1; chunk < parameters.Chunks; chunk++)
            sum += parameters.Partials[chunk * stride + index];
        parameters.Partials[index] = sum;
    }
}

/// <summary>
/// The gradients of all parameters from the sums: the matrix first, then the bias, then the factor and the offset of
/// the normalisation together.
/// </summary>
public readonly struct ParameterGradients<TElement, TStorage, TAccumulator>
    : IElementProgram<ProjectionGradientParameters<TStorage, TAccumulator>>
    where TElement : struct, IElement<TStorage, TAccumulator>
    where TStorage : unmanaged
    where TAccumulator : unmanaged, IFloatingPointIeee754<TAccumulator>
{
    /// <inheritdoc/>
    public static long Count(in ProjectionGradientParameters<TStorage, TAccumulator> parameters) =>
        (long)parameters.OutputChannels * (parameters.InputChannels + 1) + parameters.InputChannels;

    /// <inheritdoc/>
    public static double OperationsPerElement(in ProjectionGradientParameters<TStorage, TAccumulator> parameters) => 8;

    /// <inheritdoc/>
    public static void Apply(in ProjectionGradientParameters<TStorage, TAccumulator> parameters, long index)
    {
        long matrix = (long)parameters.OutputChannels * parameters.InputChannels;
        if (index < matrix)
        {
            var gradient = parameters.Partials[index];
            if (parameters.HasNorm != 0)
            {
                long output = index / parameters.InputChannels;
                long input = index - output * parameters.InputChannels;
                gradient = TElement.Load(parameters.NormWeight[input]) * gradient
                    + TElement.Load(parameters.NormBias[input]) * parameters.Partials[matrix + output];
            }
            parameters.GradWeight[index] = TElement.Store(gradient);
        }
        else if (index < matrix + parameters.OutputChannels)
        {
            if (parameters.HasBias != 0)
                parameters.GradBias[index - matrix] = TElement.Store(parameters.Partials[index]);
        }
        else if (parameters.HasNorm != 0)
        {
            long input = index - matrix - parameters.OutputChannels;
            var gradFactor = TAccumulator.Zero;
            var gradOffset = TAccumulator.Zero;
            for (int output = 0; output < parameters.OutputChannels; output++)
            {
                long element = (long)output * parameters.InputChannels + input;
                var weight = TElement.Load(parameters.Weight[element]);
                gradFactor += weight * parameters.Partials[element];
                gradOffset += weight * parameters.Partials[matrix + output];
            }
            parameters.GradNormWeight[input] = TElement.Store(gradFactor);
            parameters.GradNormBias[input] = TElement.Store(gradOffset);
        }
    }
}
