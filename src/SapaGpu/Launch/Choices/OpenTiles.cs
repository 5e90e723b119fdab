using SapaGpu.Devices;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simd;

namespace SapaGpu.Launch;

/// <summary>A vector program whose arithmetic and rules are still to be chosen; it takes those that it has.</summary>
internal abstract class OpenTiles<TStorage, TReal, TParameters>
    where TStorage : unmanaged
    where TReal : unmanaged
    where TParameters : struct
{
    /// <summary>Makes the program of some choices.</summary>
    /// <typeparam name="TSimd">The arithmetic on what is stored.</typeparam>
    /// <typeparam name="TStaged">The arithmetic on what is staged.</typeparam>
    /// <typeparam name="TVector">The vector of both.</typeparam>
    /// <typeparam name="TBorder">The border.</typeparam>
    /// <typeparam name="TNormalisation">The normalisation.</typeparam>
    public abstract ILaunchable<TParameters> Close<TSimd, TStaged, TVector, TBorder, TNormalisation>()
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStaged : struct, ISimd<TReal, TReal, TVector>
        where TVector : struct
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation;

    /// <summary>Makes the program of a variant with a given arithmetic.</summary>
    public ILaunchable<TParameters> Close<TSimd, TStaged, TVector>(KernelVariant variant)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStaged : struct, ISimd<TReal, TReal, TVector>
        where TVector : struct => variant.Border switch
        {
            BorderRule.ZeroLogit => Close<TSimd, TStaged, TVector, ZeroLogitBorder>(variant),
            BorderRule.Masked => Close<TSimd, TStaged, TVector, MaskedBorder>(variant),
            BorderRule.Replicate => Close<TSimd, TStaged, TVector, ReplicateBorder>(variant),
            _ => throw KernelVariant.Unknown(variant.Border),
        };

    private ILaunchable<TParameters> Close<TSimd, TStaged, TVector, TBorder>(KernelVariant variant)
        where TSimd : struct, ISimd<TStorage, TReal, TVector>
        where TStaged : struct, ISimd<TReal, TReal, TVector>
        where TVector : struct
        where TBorder : struct, IBorder => variant.Normalisation switch
        {
            ScoreNormalisation.Softmax => Close<TSimd, TStaged, TVector, TBorder, SoftmaxNormalisation>(),
            ScoreNormalisation.Sigmoid => Close<TSimd, TStaged, TVector, TBorder, SigmoidNormalisation>(),
            ScoreNormalisation.None => Close<TSimd, TStaged, TVector, TBorder, NoNormalisation>(),
            _ => throw KernelVariant.Unknown(variant.Normalisation),
        };
}
