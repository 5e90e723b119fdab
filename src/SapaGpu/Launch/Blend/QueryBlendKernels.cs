using System.Numerics;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.Launch;

/// <summary>
/// Queries made of features of the encoder and of the decoder, with or without a gate, on maps of one element type.
/// </summary>
internal abstract class QueryBlendKernels
{
    private static readonly KernelsByElement<QueryBlendKernels> Known = new(typeof(QueryBlendKernels<,,>));

    /// <summary>The operators of an element type.</summary>
    public static QueryBlendKernels For(ElementType elementType) => Known[elementType];

    /// <summary>The query, [B, D, OH, OW]; gate is null for the plain sum.</summary>
    public abstract void Forward(FeatureMap encoder, FeatureMap decoder, FeatureMap? gate, FeatureMap query);

    /// <summary>
    /// The gradients; with no gate, that of the encoder's part is that of the query and is not written.
    /// </summary>
    public abstract void Backward(
        FeatureMap encoder,
        FeatureMap decoder,
        FeatureMap? gate,
        FeatureMap gradQuery,
        FeatureMap? gradEncoder,
        FeatureMap gradDecoder,
        FeatureMap? gradGate);
}

/// <summary>The blended query with the element type's accumulator.</summary>
internal sealed class QueryBlendKernels<TElement, TStorage, TReal> : QueryBlendKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<QueryBlendParameters<TStorage>> forward =
        Table(
            typeof(QueryBlendProgram<,,,,>),
            typeof(QueryBlendForward<TElement, TStorage, TReal>), typeof(BothTerms));

    private readonly VariantTable<QueryBlendParameters<TStorage>> encoderGradient =
        Table(
            typeof(QueryBlendProgram<,,,,>),
            typeof(QueryBlendEncoderGradient<TElement, TStorage, TReal>), typeof(EncoderTerm));

    private readonly VariantTable<QueryBlendParameters<TStorage>> decoderGradient =
        Table(
            typeof(QueryBlendDecoderGradientProgram<,,,>),
            typeof(QueryBlendDecoderGradient<TElement, TStorage, TReal>));

    private readonly VariantTable<QueryBlendParameters<TStorage>> gateGradient =
        Table(
            typeof(QueryBlendGateGradientProgram<,,,>),
            typeof(QueryBlendGateGradient<TElement, TStorage, TReal>));

    public override void Forward(FeatureMap encoder, FeatureMap decoder, FeatureMap? gate, FeatureMap query) =>
        forward.Launch(query.Device, Parameters(encoder, decoder, gate, query, query));

    public override void Backward(
        FeatureMap encoder,
        FeatureMap decoder,
        FeatureMap? gate,
        FeatureMap gradQuery,
        FeatureMap? gradEncoder,
        FeatureMap gradDecoder,
        FeatureMap? gradGate)
    {
        var device = gradQuery.Device;
        decoderGradient.Launch(device, Parameters(encoder, decoder, gate, gradQuery, gradDecoder));
        if (gate is null)
            return;
        encoderGradient.Launch(device, Parameters(encoder, decoder, gate, gradQuery, gradEncoder!));
        gateGradient.Launch(device, Parameters(encoder, decoder, gate, gradQuery, gradGate!));
    }

    private static VariantTable<QueryBlendParameters<TStorage>> Table(Type tiles, Type program, params Type[] terms) =>
        new(variant => variant.VectorBits > 0
            ? KernelVariants.Tiles<QueryBlendParameters<TStorage>>(
                tiles, [.. KernelVariants.SimdArguments<TElement, TStorage, TReal>(variant), .. terms])
            : KernelVariants.Group<QueryBlendParameters<TStorage>>(
                typeof(MapKernel<,>), program, typeof(QueryBlendParameters<TStorage>)));

    private static QueryBlendParameters<TStorage> Parameters(
        FeatureMap encoder, FeatureMap decoder, FeatureMap? gate, FeatureMap gradQuery, FeatureMap result) => new()
        {
            Batch = encoder.Shape.Batch,
            Channels = encoder.Shape.Channels,
            Rows = WindowShape.Axis(decoder.Shape.Height, encoder.Shape.Height),
            Columns = WindowShape.Axis(decoder.Shape.Width, encoder.Shape.Width),
            Encoder = encoder.Map<TStorage>(),
            Decoder = decoder.Map<TStorage>(),
            Gate = (gate ?? decoder).Map<TStorage>(),
            GradQuery = gradQuery.Map<TStorage>(),
            Result = result.Map<TStorage>(),
            HasGate = gate is null ? 0 : 1,
        };
}
