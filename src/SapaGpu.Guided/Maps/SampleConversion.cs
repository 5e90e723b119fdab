using System.Numerics;

namespace SapaGpu.Guided;

/// <summary>Values of the caller's types to single precision and back.</summary>
internal static class SampleConversion<T>
    where T : unmanaged, INumber<T>
{
    private static readonly bool IsInteger = T.CreateTruncating(0.5f) == T.Zero;

    /// <summary>The nearest value of single precision.</summary>
    public static float ToSingle(T value) => float.CreateSaturating(value);

    /// <summary>The nearest value of the type: whole numbers are rounded, what is beyond the range is its end.</summary>
    public static T FromSingle(float value) => T.CreateSaturating(IsInteger ? MathF.Round(value) : value);

    /// <summary>As <see cref="FromSingle"/>, of a value of another type, without going through single precision.</summary>
    public static T From<TOther>(TOther value)
        where TOther : unmanaged, INumber<TOther>
    {
        if (typeof(T) == typeof(TOther))
            return (T)(object)value;
        return IsInteger && !SampleConversion<TOther>.IsInteger
            ? T.CreateSaturating(Math.Round(double.CreateSaturating(value)))
            : T.CreateSaturating(value);
    }
}
