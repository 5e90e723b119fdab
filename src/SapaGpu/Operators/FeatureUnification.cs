using SapaGpu.Launch;
using SapaGpu.Maps;

namespace SapaGpu.Operators;

/// <summary>
/// Any number of channels to a fixed one, as in AnyUp: every channel is correlated with O kernels, and the output is the mean
/// over channels of a softmax over kernels. The map has zeros outside, and a response is divided by the number of taps on the map.
/// </summary>
/// <remarks>
/// Responses are numbered channel by channel, n = c·O + o, and read kernel by kernel, n = o'·C + c': the softmax runs over o', the
/// mean over c'. Checkpoints were trained with this order. Images are taken one by one, their responses, C·O for every pixel,
/// in bands of rows.
/// </remarks>
internal static class FeatureUnification
{
    private const long BandBytes = 256L << 20;

    /// <summary>Unifies a map.</summary>
    /// <param name="basis">The kernels, [O, 1, K, K].</param>
    /// <param name="input">The map, [B, C, H, W].</param>
    /// <param name="output">Where the output is written, [B, O, H, W].</param>
    public static void Forward(FeatureMap basis, FeatureMap input, FeatureMap output)
    {
        using var call = Operands.Hold(basis, input, output);
        if (input.Device.RunsVectorPrograms)
        {
            EncodingKernels.For(input).UnifyInOnePass(basis, input, output);
            return;
        }
        using var matrix = Matrix(basis, input.Format);
        for (int image = 0; image < input.Shape.Batch; image++)
        {
            using var patches = Patches(basis, input, image);
            using var results = output.ImagesOf(image, 1);
            foreach (var (first, count) in Bands(basis, input))
            {
                using var band = patches.CropOf(first, 0, count, input.Shape.Width);
                using var result = results.CropOf(first, 0, count, input.Shape.Width);
                using var responses = Responses(matrix, band);
                EncodingKernels.For(input).Unify(responses, result);
            }
        }
    }

    /// <summary>Computes the gradients of kernels and map.</summary>
    public static void Backward(
        FeatureMap basis, FeatureMap input, FeatureMap gradOutput, FeatureMap gradInput, FeatureMap gradBasis)
    {
        using var call = Operands.Hold(basis, input, gradOutput, gradInput, gradBasis);
        using var matrix = Matrix(basis, input.Format);
        using var total = FeatureMap.Create(input.Device, matrix.Shape, matrix.Format, matrix.ElementType);
        using var part = FeatureMap.Create(input.Device, matrix.Shape, matrix.Format, matrix.ElementType);
        total.Clear();
        for (int image = 0; image < input.Shape.Batch; image++)
        {
            using var patches = Patches(basis, input, image);
            using var gradPatches = FeatureMap.Create(input.Device, patches.Shape, patches.Format, patches.ElementType);
            using var gradients = gradOutput.ImagesOf(image, 1);
            foreach (var (first, count) in Bands(basis, input))
            {
                using var band = patches.CropOf(first, 0, count, input.Shape.Width);
                using var gradBand = gradPatches.CropOf(first, 0, count, input.Shape.Width);
                using var gradient = gradients.CropOf(first, 0, count, input.Shape.Width);
                using var responses = Responses(matrix, band);
                using var gradResponses = FeatureMap.Create(
                    input.Device, responses.Shape, responses.Format, responses.ElementType);
                EncodingKernels.For(input).UnifyBackward(responses, gradient, gradResponses);
                PointwiseProjection.RunBackward(
                    new ProjectionWeights(matrix, null), band, gradResponses, null, gradBand, new ProjectionWeights(part, null));
                Conversions.Add(part, total);
            }
            using var gradImage = gradInput.ImagesOf(image, 1);
            EncodingKernels.For(input).PatchBackward(basis.Shape.Height, gradPatches, gradImage);
        }
        CopyTaps(basis.Shape.Height, (tap, kernels) =>
        {
            using var column = total.ChannelsOf(tap, 1);
            Conversions.Copy(column, kernels);
        }, gradBasis);
    }

    // Kernels as a matrix, [O, K², 1, 1].
    private static FeatureMap Matrix(FeatureMap basis, MemoryFormat format)
    {
        int window = basis.Shape.Height;
        var matrix = FeatureMap.Create(
            basis.Device, new MapShape(basis.Shape.Batch, window * window, 1, 1), MemoryFormat.Contiguous, basis.ElementType);
        CopyTaps(window, (tap, kernels) =>
        {
            using var column = matrix.ChannelsOf(tap, 1);
            Conversions.Copy(kernels, column);
        }, basis);
        return matrix;
    }

    private static void CopyTaps(int window, Action<int, FeatureMap> copy, FeatureMap basis)
    {
        for (int tap = 0; tap < window * window; tap++)
        {
            using var kernels = basis.CropOf(tap / window, tap % window, 1, 1);
            copy(tap, kernels);
        }
    }

    private static FeatureMap Patches(FeatureMap basis, FeatureMap input, int image)
    {
        int window = basis.Shape.Height;
        var shape = new MapShape(input.Shape.Channels, window * window, input.Shape.Height, input.Shape.Width);
        var patches = FeatureMap.Create(input.Device, shape, input.Format, input.ElementType);
        using var source = input.ImagesOf(image, 1);
        EncodingKernels.For(input).Patch(window, source, patches);
        return patches;
    }

    private static FeatureMap Responses(FeatureMap matrix, FeatureMap patches)
    {
        var shape = new MapShape(patches.Shape.Batch, matrix.Shape.Batch, patches.Shape.Height, patches.Shape.Width);
        var responses = FeatureMap.Create(patches.Device, shape, patches.Format, patches.ElementType);
        PointwiseProjection.Run(new ProjectionWeights(matrix, null), patches, responses, null);
        return responses;
    }

    // Rows whose responses fit into so much memory; results must not depend on the workspace.
    private static IEnumerable<(int First, int Count)> Bands(FeatureMap basis, FeatureMap input)
    {
        long row = (long)input.Shape.Channels * basis.Shape.Batch * input.Shape.Width * input.ElementType.Size();
        int rows = (int)Math.Clamp(BandBytes / row, 1, input.Shape.Height);
        for (int first = 0; first < input.Shape.Height; first += rows)
            yield return (first, Math.Min(rows, input.Shape.Height - first));
    }
}
