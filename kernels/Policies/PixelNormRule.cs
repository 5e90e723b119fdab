using System.Numerics;

namespace SapaGpu.Kernels.Policies;

/// <summary>The norm over channels that a pixel is divided by.</summary>
internal interface IPixelNormRule
{
    /// <summary>The reciprocal of the norm from the sum of squares.</summary>
    static abstract TReal Reciprocal<TReal>(TReal squares, TReal channels, TReal epsilon)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;

    /// <summary>How much the reciprocal falls with the norm: the factor q of the backward.</summary>
    static abstract TReal Slope<TReal>(TReal reciprocal, TReal channels, TReal epsilon)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>;
}

/// <summary>The root of the mean square plus epsilon.</summary>
internal readonly struct RootMeanSquare : IPixelNormRule
{
    public static TReal Reciprocal<TReal>(TReal squares, TReal channels, TReal epsilon)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => TReal.One / TReal.Sqrt(squares / channels + epsilon);

    public static TReal Slope<TReal>(TReal reciprocal, TReal channels, TReal epsilon)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> => reciprocal * reciprocal / channels;
}

/// <summary>The Euclidean norm, at least epsilon.</summary>
internal readonly struct EuclideanNorm : IPixelNormRule
{
    public static TReal Reciprocal<TReal>(TReal squares, TReal channels, TReal epsilon)
        where TReal : unmanaged, IFloatingPointIeee754<TReal>
    {
        var norm = TReal.Sqrt(squares);
        return TReal.One / (norm > epsilon ? norm : epsilon);
    }

    public static TReal Slope<TReal>(TReal reciprocal, TReal channels, TReal epsilon)
        where TReal : unmanaged, IFloatingPointIeee754<TReal> =>
        reciprocal * epsilon < TReal.One ? reciprocal * reciprocal : TReal.Zero;
}
