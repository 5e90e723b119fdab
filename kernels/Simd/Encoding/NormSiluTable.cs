using System.Numerics;
using System.Runtime.CompilerServices;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// GroupNorm of one image as a table over its channels, (x − mean)·factor + offset, followed by SiLU. The table has whole vectors of
/// channels; past the last one it makes 0 of 0.
/// </summary>
internal readonly unsafe struct NormSiluTable<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly TReal* means;
    private readonly TReal* factors;
    private readonly TReal* offsets;
    private readonly int channels;

    public NormSiluTable(ref ScratchAllocator scratch, int channels)
    {
        this.channels = channels;
        int whole = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholeVectors(channels);
        means = scratch.Take<TReal>(whole);
        factors = scratch.Take<TReal>(whole);
        offsets = scratch.Take<TReal>(whole);
    }

    private int Whole => MatrixProduct<TSimd, TStorage, TReal, TVector>.WholeVectors(channels);

    /// <summary>Fills the table for an image.</summary>
    public void Fill(in ConvolutionParameters<TStorage, TReal> parameters, int image)
    {
        var statistics = new MapPointer<TReal>(in parameters.Statistics);
        TReal* weight = ViewPointer.Of(parameters.NormWeight);
        TReal* bias = ViewPointer.Of(parameters.NormBias);
        int perGroup = channels / parameters.Groups;
        for (int channel = 0; channel < channels; channel++)
        {
            int group = channel / perGroup;
            means[channel] = *statistics.At(image, 2 * group, 0, 0);
            factors[channel] = *statistics.At(image, 2 * group + 1, 0, 0) * weight[channel];
            offsets[channel] = bias[channel];
        }
        int rest = Whole - channels;
        new Span<TReal>(means + channels, rest).Clear();
        new Span<TReal>(factors + channels, rest).Clear();
        new Span<TReal>(offsets + channels, rest).Clear();
    }

    /// <summary>Normalises and activates pixels in place.</summary>
    /// <param name="pixels">The first pixel.</param>
    /// <param name="stride">Elements from one pixel to the next, at least whole vectors of channels.</param>
    /// <param name="count">The pixels.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(TReal* pixels, int stride, int count)
    {
        int lanes = TSimd.Lanes;
        int whole = Whole;
        for (int channel = 0; channel < whole; channel += lanes)
        {
            var mean = TSimd.Load(means + channel);
            var factor = TSimd.Load(factors + channel);
            var offset = TSimd.Load(offsets + channel);
            TReal* value = pixels + channel;
            for (int pixel = 0; pixel < count; pixel++)
            {
                var normalised = TSimd.MultiplyAdd(TSimd.Subtract(TSimd.Load(value), mean), factor, offset);
                TSimd.Store(value, SiluMath<TSimd, TStorage, TReal, TVector>.Forward(normalised));
                value += stride;
            }
        }
    }
}
