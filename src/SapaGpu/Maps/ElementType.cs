namespace SapaGpu;

/// <summary>The element types of tensors.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>IEEE half precision in memory, computed in single precision.</summary>
    Float16,

    /// <summary>bfloat16 in memory, computed in single precision.</summary>
    BFloat16,
}

/// <summary>The element types as .NET types and as written names.</summary>
public static class ElementTypes
{
    /// <summary>The element type of a .NET type.</summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <exception cref="NotSupportedException">Tensors of that type do not exist.</exception>
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
            $"Tensors hold float, double, Half or BFloat16; {typeof(T).Name} is not supported.");
    }

    /// <summary>The short name: f32, f64, f16, bf16.</summary>
    public static string ShortName(this ElementType type) => type switch
    {
        ElementType.Float64 => "f64",
        ElementType.Float16 => "f16",
        ElementType.BFloat16 => "bf16",
        _ => "f32",
    };

    /// <summary>The bytes of an element.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Float64 => sizeof(double),
        ElementType.Float32 => sizeof(float),
        _ => sizeof(ushort),
    };

    /// <summary>
    /// The type that elements are computed in, which is also that of parameters: double for double, else float.
    /// </summary>
    public static ElementType Accumulator(this ElementType type) =>
        type == ElementType.Float64 ? ElementType.Float64 : ElementType.Float32;

    /// <summary>Rounds a number to an element type.</summary>
    internal static T FromDouble<T>(double value)
        where T : unmanaged => Of<T>() switch
        {
            ElementType.Float64 => (T)(object)value,
            ElementType.Float16 => (T)(object)(Half)value,
            ElementType.BFloat16 => (T)(object)(BFloat16)value,
            _ => (T)(object)(float)value,
        };

    /// <summary>Widens an element.</summary>
    internal static double ToDouble<T>(T value)
        where T : unmanaged => value switch
        {
            double number => number,
            Half number => (double)number,
            BFloat16 number => (float)number,
            float number => number,
            _ => throw new NotSupportedException($"{typeof(T).Name} is no element type."),
        };
}
