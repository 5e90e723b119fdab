using System.Numerics;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simt;

/// <summary>
/// The gradients of all parameters from the sums: a column for every input channel of the matrix, with the bias in one
/// more column, and one more row for factor and offset of the normalisation.
/// </summary>
internal readonly struct ParameterGradients<TReal> : IMapProgram<ProjectionGradientParameters<TReal>>
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    public static MapExtent Extent(in ProjectionGradientParameters<TReal> parameters) => new()
    {
        Batch = 1,
        Channels = 1,
        Height = parameters.OutputChannels + 1,
        Width = parameters.InputChannels + 1,
    };

    public static double OperationsPerValue(in ProjectionGradientParameters<TReal> parameters) => 8;

    public static void Apply(in ProjectionGradientParameters<TReal> parameters, in MapPosition at)
    {
        if (at.Row == parameters.OutputChannels)
        {
            if (parameters.HasNorm != 0 && at.Column < parameters.InputChannels)
                Normalisation(in parameters, at.Column);
            return;
        }
        long matrix = (long)parameters.OutputChannels * parameters.InputChannels;
        if (at.Column == parameters.InputChannels)
        {
            if (parameters.HasBias != 0)
                parameters.GradBias[at.Row] = parameters.Partials[matrix + at.Row];
            return;
        }
        var gradient = parameters.Partials[(long)at.Row * parameters.InputChannels + at.Column];
        if (parameters.HasNorm != 0)
        {
            gradient = parameters.NormWeight[at.Column] * gradient
                + parameters.NormBias[at.Column] * parameters.Partials[matrix + at.Row];
        }
        parameters.GradWeight[at.Row * parameters.WeightRowStride + at.Column * parameters.WeightColumnStride] =
            gradient;
    }

    private static void Normalisation(in ProjectionGradientParameters<TReal> parameters, int input)
    {
        long matrix = (long)parameters.OutputChannels * parameters.InputChannels;
        var gradFactor = TReal.Zero;
        var gradOffset = TReal.Zero;
        for (int output = 0; output < parameters.OutputChannels; output++)
        {
            var weight = parameters.Weight[
                output * parameters.WeightRowStride + input * parameters.WeightColumnStride];
            gradFactor += weight * parameters.Partials[(long)output * parameters.InputChannels + input];
            gradOffset += weight * parameters.Partials[matrix + output];
        }
        parameters.GradNormWeight[input] = gradFactor;
        parameters.GradNormBias[input] = gradOffset;
    }
}
