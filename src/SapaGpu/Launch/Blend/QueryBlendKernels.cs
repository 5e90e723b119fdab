using System.Numerics;
using SapaGpu.Devices;
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
    private static readonly KernelsByElement<QueryBlendKernels, Factory> Known = new();

    /// <summary>The operators of an element type.</summary>
    public static QueryBlendKernels For(FeatureMap map) => Known.For(map);

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

    private readonly struct Factory : IKernelFactory<QueryBlendKernels>
    {
        QueryBlendKernels IKernelFactory<QueryBlendKernels>.Create<TElement, TStorage, TReal, TRealElement>(
            ElementArithmetic<TStorage, TReal> arithmetic) =>
            new QueryBlendKernels<TElement, TStorage, TReal>(arithmetic);
    }
}

/// <summary>The blended query with the element type's accumulator.</summary>
internal sealed class QueryBlendKernels<TElement, TStorage, TReal>(
    ElementArithmetic<TStorage, TReal> arithmetic) : QueryBlendKernels
    where TElement : struct, IElement<TStorage, TReal>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
{
    private readonly VariantTable<QueryBlendParameters<TStorage>> forward = arithmetic.Table(
        new BlendTiles<BothTerms>(), new MapKernelOf<QueryBlendParameters<TStorage>, QueryBlendForward<TElement, TStorage, TReal>>());

    private readonly VariantTable<QueryBlendParameters<TStorage>> encoderGradient = arithmetic.Table(
        new BlendTiles<EncoderTerm>(), new MapKernelOf<QueryBlendParameters<TStorage>, QueryBlendEncoderGradient<TElement, TStorage, TReal>>());

    private readonly VariantTable<QueryBlendParameters<TStorage>> decoderGradient = arithmetic.Table(
        new DecoderTiles(), new MapKernelOf<QueryBlendParameters<TStorage>, QueryBlendDecoderGradient<TElement, TStorage, TReal>>());

    private readonly VariantTable<QueryBlendParameters<TStorage>> gateGradient = arithmetic.Table(
        new GateTiles(), new MapKernelOf<QueryBlendParameters<TStorage>, QueryBlendGateGradient<TElement, TStorage, TReal>>());

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

    private sealed class BlendTiles<TTerms> : OpenTiles<TStorage, TReal, QueryBlendParameters<TStorage>>
        where TTerms : struct, IBlendTerms
    {
        public override ILaunchable<QueryBlendParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<QueryBlendProgram<TSimd, TStorage, TReal, TVector, TTerms>, QueryBlendParameters<TStorage>>();
    }

    private sealed class DecoderTiles : OpenTiles<TStorage, TReal, QueryBlendParameters<TStorage>>
    {
        public override ILaunchable<QueryBlendParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                QueryBlendDecoderGradientProgram<TSimd, TStorage, TReal, TVector>,
                QueryBlendParameters<TStorage>>();
    }

    private sealed class GateTiles : OpenTiles<TStorage, TReal, QueryBlendParameters<TStorage>>
    {
        public override ILaunchable<QueryBlendParameters<TStorage>>
            Close<TSimd, TStaged, TVector, TBorder, TNormalisation>() =>
            new TileLaunchable<
                QueryBlendGateGradientProgram<TSimd, TStorage, TReal, TVector>,
                QueryBlendParameters<TStorage>>();
    }
}
