using System.Numerics;

namespace SapaGpu.Guided;

/// <summary>A run of pixels in a row, and the whole vectors around it.</summary>
/// <param name="Row">The row.</param>
/// <param name="Start">The first pixel.</param>
/// <param name="End">The pixel after the last.</param>
internal readonly record struct PixelRun(int Row, int Start, int End)
{
    /// <summary>The first pixel of the first vector.</summary>
    public int First => Start / Vector<float>.Count * Vector<float>.Count;

    /// <summary>The pixel after the last vector.</summary>
    public int Last => RoundUp(End);

    /// <summary>The pixels of all vectors.</summary>
    public int Count => Last - First;

    /// <summary>The next length that is a whole number of vectors.</summary>
    public static int RoundUp(int length) => (length + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
}
