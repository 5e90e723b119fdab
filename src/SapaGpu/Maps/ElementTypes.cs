using SapaGpu.Maps;

namespace SapaGpu;

/// <summary>The .NET types, names and sizes of the element types.</summary>
public static class ElementTypes
{
    /// <summary>Returns the element type of maps of a .NET type.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is none of these types.</exception>
    public static ElementType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return ElementType.Float32;
        if (typeof(T) == typeof(double))
            return ElementType.Float64;
        if (typeof(T) == typeof(Half))
            return ElementType.Float16;
        if (typeof(T) == typeof(BFloat16))
            return ElementType.BFloat16;
        throw new NotSupportedException(
            $"Maps hold float, double, Half or BFloat16; {typeof(T).Name} is not supported.");
    }

    /// <summary>Returns the short name: f32, f64, f16 or bf16.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The element type is not defined.</exception>
    public static string ShortName(this ElementType type) => type switch
    {
        ElementType.Float64 => "f64",
        ElementType.Float16 => "f16",
        ElementType.BFloat16 => "bf16",
        ElementType.Float32 => "f32",
        _ => throw Unknown(type),
    };

    /// <summary>Returns the size of an element in bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The element type is not defined.</exception>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Float64 => sizeof(double),
        ElementType.Float32 => sizeof(float),
        ElementType.Float16 or ElementType.BFloat16 => sizeof(ushort),
        _ => throw Unknown(type),
    };

    /// <summary>
    /// Returns the type that is computed in, which is also the type of parameters: <see cref="ElementType.Float64"/>
    /// for itself, <see cref="ElementType.Float32"/> for all others.
    /// </summary>
    public static ElementType Accumulator(this ElementType type) =>
        type == ElementType.Float64 ? ElementType.Float64 : ElementType.Float32;

    /// <summary>
    /// Calls a generic method with the .NET type of an element type.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The element type is not defined.</exception>
    internal static TResult Dispatch<TVisitor, TResult>(this ElementType type, TVisitor visitor)
        where TVisitor : IElementVisitor<TResult> => type switch
        {
            ElementType.Float32 => visitor.Visit<float>(),
            ElementType.Float64 => visitor.Visit<double>(),
            ElementType.Float16 => visitor.Visit<Half>(),
            ElementType.BFloat16 => visitor.Visit<BFloat16>(),
            _ => throw Unknown(type),
        };

    /// <summary>The distance from 1 to the next number of an element type.</summary>
    internal static double Unit(this ElementType type) => type switch
    {
        ElementType.Float32 => Math.ScaleB(1, -23),
        ElementType.Float64 => Math.ScaleB(1, -52),
        ElementType.Float16 => Math.ScaleB(1, -10),
        ElementType.BFloat16 => Math.ScaleB(1, -7),
        _ => throw Unknown(type),
    };

    /// <summary>Rounds a number to an element type.</summary>
    internal static T FromDouble<T>(double value)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return (T)(object)(float)value;
        if (typeof(T) == typeof(double))
            return (T)(object)value;
        return Of<T>() == ElementType.Float16 ? (T)(object)(Half)value : (T)(object)(BFloat16)value;
    }

    /// <summary>Widens an element.</summary>
    internal static double ToDouble<T>(T value)
        where T : unmanaged => value switch
        {
            double number => number,
            Half number => (double)number,
            BFloat16 number => (float)number,
            float number => number,
            _ => throw new NotSupportedException($"{typeof(T).Name} is not an element type."),
        };

    private static ArgumentOutOfRangeException Unknown(ElementType type) =>
        new(nameof(type), $"{type} is not an element type; choose {string.Join(", ", Enum.GetNames<ElementType>())}.");
}
