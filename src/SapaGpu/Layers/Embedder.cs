using SapaGpu.Operators;

namespace SapaGpu.Layers;

/// <summary>
/// Normalises and projects a map. LayerNorm runs inside the projection kernel, unless the normalised map itself is
/// needed; GroupNorm, whose statistics need the whole image, is a separate step.
/// </summary>
/// <param name="norm">The normalisation; null for none.</param>
/// <param name="matrix">Finds the matrix in a set of parameters, [O, I, 1, 1]; null for no projection.</param>
/// <param name="bias">Finds the bias, which may be absent.</param>
/// <param name="keepsNormalised">Whether the normalised map itself is needed.</param>
internal sealed class Embedder(
    FeatureNormLayer? norm,
    Func<ParameterSet, FeatureMap>? matrix,
    Func<ParameterSet, FeatureMap?>? bias,
    bool keepsNormalised = false)
{
    private bool IsFused => norm is { Kind: FeatureNormKind.Layer } && matrix is not null && !keepsNormalised;

    /// <summary>
    /// Creates a map for a projection of the input, in the format that the window kernels read fastest.
    /// </summary>
    public static FeatureMap<T> CreateValues<T>(FeatureMap<T> input, int channels)
        where T : unmanaged
    {
        // Contiguous on the CPU; on a GPU channels-last, padded to a multiple of four channels for packs of four.
        const int Pack = 4;
        if (input.Device.RunsVectorPrograms)
            return FeatureMap<T>.Create(input.Device, Shape(channels), MemoryFormat.Contiguous);
        using var padded = FeatureMap<T>.Create(
            input.Device, Shape((channels + Pack - 1) / Pack * Pack), MemoryFormat.ChannelsLast);
        return padded.Channels(0, channels);

        MapShape Shape(int count) => new(input.Shape.Batch, count, input.Shape.Height, input.Shape.Width);
    }

    public Embedding<T> Forward<T>(ParameterSet parameters, FeatureMap<T> input)
        where T : unmanaged
    {
        var statistics = norm?.CreateStatistics(input);
        FeatureMap<T>? normalised = null;
        if (!IsFused)
            normalised = norm is null ? input : norm.Forward(parameters, input, statistics!);
        FeatureMap<T>? values = null;
        if (matrix is not null)
        {
            var projection = Projection(parameters);
            values = CreateValues(input, projection.Weight.Shape.Batch);
            PointwiseProjection.Run(in projection, normalised ?? input, values, statistics);
        }
        return new Embedding<T>(normalised, norm is not null && normalised is not null, values, statistics);
    }

    /// <summary>Computes the gradients of the parameters and of the input.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="parameters">The parameters.</param>
    /// <param name="gradients">Where the gradients of the parameters are written.</param>
    /// <param name="input">The input of the forward.</param>
    /// <param name="embedding">The result of the forward.</param>
    /// <param name="gradValues">The gradient of the projection; null if there is none.</param>
    /// <param name="gradNormalised">
    /// The gradient of the normalised map from its other uses, which is overwritten; null if there are none.
    /// </param>
    /// <param name="gradInput">Where the gradient of the input is written.</param>
    /// <param name="accumulate">Whether the gradient of the input is added to what is there.</param>
    public void Backward<T>(
        ParameterSet parameters,
        ParameterSet gradients,
        FeatureMap<T> input,
        Embedding<T> embedding,
        FeatureMap<T>? gradValues,
        FeatureMap<T>? gradNormalised,
        FeatureMap<T> gradInput,
        bool accumulate)
        where T : unmanaged
    {
        if (IsFused || norm is null)
        {
            if (gradValues is not null)
            {
                Project(gradInput, accumulate);
                accumulate = true;
            }
            if (gradNormalised is not null)
                AddOrCopy(gradNormalised, gradInput, accumulate);
            return;
        }
        using var own = gradNormalised is null ? FeatureMap<T>.Create(input.Device, input.Shape, input.Format) : null;
        var gradient = gradNormalised ?? own!;
        if (gradValues is not null)
            Project(gradient, adds: gradNormalised is not null);
        norm.Backward(parameters, gradients, input, gradient, embedding.Statistics!, gradInput, accumulate);

        void Project(FeatureMap<T> result, bool adds) => PointwiseProjection.RunBackward(
            Projection(parameters),
            embedding.Normalised ?? input,
            gradValues,
            IsFused ? embedding.Statistics : null,
            result,
            Projection(gradients),
            adds);
    }

    private static void AddOrCopy<T>(FeatureMap<T> source, FeatureMap<T> result, bool accumulate)
        where T : unmanaged
    {
        if (accumulate)
            Conversions.Add(source, result);
        else
            Conversions.Copy(source, result);
    }

    private ProjectionWeights Projection(ParameterSet parameters)
    {
        var projection = new ProjectionWeights(matrix!(parameters), bias?.Invoke(parameters));
        return IsFused
            ? projection with
            {
                NormWeight = parameters[norm!.WeightName],
                NormBias = parameters[norm.BiasName],
                Epsilon = norm.Epsilon,
            }
            : projection;
    }
}
