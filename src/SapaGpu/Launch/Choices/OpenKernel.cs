using SapaGpu.Devices;
using SapaGpu.Kernels.Policies;

namespace SapaGpu.Launch;

/// <summary>A thread-group program whose choices are still to be made; it takes those that it has.</summary>
internal abstract class OpenKernel<TParameters>
    where TParameters : struct
{
    /// <summary>Makes the kernel of some choices.</summary>
    public abstract ILaunchable<TParameters> Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>()
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation
        where TEmbedding : struct, IChannelAccess
        where TValue : struct, IChannelAccess;

    /// <summary>Makes the kernel of some choices that works on cell pairs, or null where there is none.</summary>
    public virtual ILaunchable<TParameters>?
        CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>()
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation
        where TEmbedding : struct, IChannelAccess
        where TValue : struct, IChannelAccess => null;

    /// <summary>
    /// Makes the kernel of some choices that works on cell pairs with matrix units, or null where there is none.
    /// </summary>
    public virtual ILaunchable<TParameters>?
        CloseMatrices<TMatrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>()
        where TMatrix : struct, IMatrixFormat
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation
        where TEmbedding : struct, IChannelAccess
        where TValue : struct, IChannelAccess => null;

    /// <summary>Makes the kernel of some choices that works on tiles of queries, or null where there is none.</summary>
    public virtual ILaunchable<TParameters>? CloseTiles<THeads, TAccess>()
        where THeads : struct, IHeadRule
        where TAccess : struct, IChannelAccess => null;

    /// <summary>Makes the kernel of some choices that works on tiles of queries with matrix units, or null.</summary>
    public virtual ILaunchable<TParameters>? CloseMatrixTiles<TMatrix, THeads, TAccess>()
        where TMatrix : struct, IMatrixFormat
        where THeads : struct, IHeadRule
        where TAccess : struct, IChannelAccess => null;

    /// <summary>Makes the kernel of a variant.</summary>
    public ILaunchable<TParameters> Close(KernelVariant variant) => variant.Window switch
    {
        3 => Close<Window3>(variant),
        5 => Close<Window5>(variant),
        7 => Close<Window7>(variant),
        0 => Close<AnyWindow>(variant),
        _ => throw KernelVariant.Unknown(variant.Window),
    };

    private ILaunchable<TParameters> Close<TWindow>(KernelVariant variant)
        where TWindow : struct, IWindow => variant.Scale switch
        {
            ScaleChoice.Scale2 => Close<TWindow, Scale2>(variant),
            ScaleChoice.AnyScale => Close<TWindow, AnyScale>(variant),
            ScaleChoice.AnyRatio => Close<TWindow, AnyRatio>(variant),
            _ => throw KernelVariant.Unknown(variant.Scale),
        };

    private ILaunchable<TParameters> Close<TWindow, TScale>(KernelVariant variant)
        where TWindow : struct, IWindow
        where TScale : struct, IScale => variant.Border switch
        {
            BorderRule.ZeroLogit => Close<TWindow, TScale, ZeroLogitBorder>(variant),
            BorderRule.Masked => Close<TWindow, TScale, MaskedBorder>(variant),
            BorderRule.Replicate => Close<TWindow, TScale, ReplicateBorder>(variant),
            _ => throw KernelVariant.Unknown(variant.Border),
        };

    private ILaunchable<TParameters> Close<TWindow, TScale, TBorder>(KernelVariant variant)
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder => variant.Normalisation switch
        {
            ScoreNormalisation.Softmax => Close<TWindow, TScale, TBorder, SoftmaxNormalisation>(variant),
            ScoreNormalisation.Sigmoid => Close<TWindow, TScale, TBorder, SigmoidNormalisation>(variant),
            ScoreNormalisation.None => Close<TWindow, TScale, TBorder, NoNormalisation>(variant),
            _ => throw KernelVariant.Unknown(variant.Normalisation),
        };

    private ILaunchable<TParameters> Close<TWindow, TScale, TBorder, TNormalisation>(KernelVariant variant)
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation => (variant.EmbeddingVectors, variant.ValueVectors) switch
        {
            (true, true) => Close<TWindow, TScale, TBorder, TNormalisation, VectorAccess, VectorAccess>(variant),
            (true, false) => Close<TWindow, TScale, TBorder, TNormalisation, VectorAccess, StridedAccess>(variant),
            (false, true) => Close<TWindow, TScale, TBorder, TNormalisation, StridedAccess, VectorAccess>(variant),
            (false, false) => Close<TWindow, TScale, TBorder, TNormalisation, StridedAccess, StridedAccess>(variant),
        };

    private ILaunchable<TParameters> Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>(
        KernelVariant variant)
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation
        where TEmbedding : struct, IChannelAccess
        where TValue : struct, IChannelAccess =>
        variant.Tiles switch
        {
            TileChoice.SplitHeads => CloseTiles<SplitHeads, TValue>(variant.Matrix),
            TileChoice.AveragedHeads => CloseTiles<AveragedHeads, TValue>(variant.Matrix),
            _ => null,
        }
        ?? (variant.CellPairs
            ? CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>(variant.Matrix)
            : null)
        ?? Close<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>();

    private ILaunchable<TParameters>? CloseTiles<THeads, TAccess>(MatrixChoice matrix)
        where THeads : struct, IHeadRule
        where TAccess : struct, IChannelAccess => matrix switch
        {
            MatrixChoice.Float16 => CloseMatrixTiles<Float16Matrix, THeads, TAccess>(),
            MatrixChoice.BFloat16 => CloseMatrixTiles<BFloat16Matrix, THeads, TAccess>(),
            _ => null,
        }
        ?? CloseTiles<THeads, TAccess>();

    private ILaunchable<TParameters>? CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>(
        MatrixChoice matrix)
        where TWindow : struct, IWindow
        where TScale : struct, IScale
        where TBorder : struct, IBorder
        where TNormalisation : struct, IScoreNormalisation
        where TEmbedding : struct, IChannelAccess
        where TValue : struct, IChannelAccess => matrix switch
        {
            MatrixChoice.Float16 =>
                CloseMatrices<Float16Matrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>(),
            MatrixChoice.BFloat16 =>
                CloseMatrices<BFloat16Matrix, TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>(),
            _ => null,
        }
        ?? CloseCellPairs<TWindow, TScale, TBorder, TNormalisation, TEmbedding, TValue>();
}
