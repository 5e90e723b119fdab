using System.Numerics;
using System.Runtime.CompilerServices;

namespace SapaGpu.Kernels.Simd;

/// <summary>
/// The softmax of feature unification for one pixel. Its responses are [channel][kernel], one behind the other; read as
/// [kernel'][channel'] they are softmax columns, so that the lanes run over channels'.
/// </summary>
internal readonly unsafe struct UnificationSoftmax<TSimd, TStorage, TReal, TVector>
    where TSimd : struct, ISimd<TStorage, TReal, TVector>
    where TStorage : unmanaged
    where TReal : unmanaged, IFloatingPointIeee754<TReal>
    where TVector : struct
{
    private readonly TReal* weights;
    private readonly int stride;

    public UnificationSoftmax(ref ScratchAllocator scratch, int channels, int kernels)
    {
        Channels = channels;
        Kernels = kernels;
        stride = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholeVectors(channels);
        ResponseStride = MatrixProduct<TSimd, TStorage, TReal, TVector>.WholePanels(kernels);
        Responses = scratch.Take<TReal>((long)channels * ResponseStride + TSimd.Lanes);
        weights = scratch.Take<TReal>((long)kernels * stride);
        Reciprocals = scratch.Take<TReal>(stride);
        Means = scratch.Take<TReal>(stride);
    }

    /// <summary>Gets C.</summary>
    public int Channels { get; }

    /// <summary>Gets O.</summary>
    public int Kernels { get; }

    /// <summary>Gets the responses, [channel][kernel], in rows of <see cref="ResponseStride"/>.</summary>
    public TReal* Responses { get; }

    /// <summary>Gets the elements from one channel of the responses to the next, in whole panels.</summary>
    public int ResponseStride { get; }

    /// <summary>Gets the reciprocal sum of the weights of every channel'.</summary>
    public TReal* Reciprocals { get; }

    /// <summary>Gets memory for a mean of every channel'.</summary>
    public TReal* Means { get; }

    /// <summary>The unnormalised weights of a kernel', for every channel'; 0 behind the last.</summary>
    public TReal* WeightsOf(int kernel) => weights + (nint)kernel * stride;

    /// <summary>
    /// Computes weights and reciprocals from the responses. The last vector of channels' reaches into the next kernel', or past all
    /// of them: these lanes are cleared.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run()
    {
        Join();
        for (int channel = 0; channel < Channels; channel += TSimd.Lanes)
        {
            TReal* first = Responses + channel;
            var largest = TSimd.Load(first);
            for (int kernel = 1; kernel < Kernels; kernel++)
                largest = TSimd.Max(largest, TSimd.Load(first + (nint)kernel * Channels));
            var sum = TSimd.Constant(0.0);
            for (int kernel = 0; kernel < Kernels; kernel++)
            {
                var weight = SimdMath<TSimd, TStorage, TReal, TVector>.Exp(
                    TSimd.Subtract(TSimd.Load(first + (nint)kernel * Channels), largest));
                TSimd.Store(WeightsOf(kernel) + channel, weight);
                sum = TSimd.Add(sum, weight);
            }
            TSimd.Store(Reciprocals + channel, TSimd.Divide(TSimd.Constant(1.0), sum));
        }
        int rest = stride - Channels;
        new Span<TReal>(Reciprocals + Channels, rest).Clear();
        for (int kernel = 0; kernel < Kernels; kernel++)
            new Span<TReal>(WeightsOf(kernel) + Channels, rest).Clear();
    }

    // Takes out what follows the last kernel of every channel.
    private void Join()
    {
        if (ResponseStride == Kernels)
            return;
        for (int channel = 1; channel < Channels; channel++)
        {
            new Span<TReal>(Responses + (nint)channel * ResponseStride, Kernels)
                .CopyTo(new Span<TReal>(Responses + (nint)channel * Kernels, Kernels));
        }
    }
}
