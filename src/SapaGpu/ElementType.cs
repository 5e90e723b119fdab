namespace SapaGpu;

/// <summary>The element types of tensors.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,
}

/// <summary>The element types as .NET types and as written names.</summary>
public static class ElementTypes
{
    /// <summary>The element type of a .NET type.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <exception cref="NotSupportedException">Tensors of that type do not exist.</exception>
    public static ElementType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return ElementType.Float32;
        if (typeof(T) == typeof(double))
            return ElementType.Float64;
        throw new NotSupportedException($"Tensors hold float or double; {typeof(T).Name} is not supported.");
    }

    /// <summary>The short name: f32, f64.</summary>
    public static string ShortName(this ElementType type) => type switch
    {
        ElementType.Float64 => "f64",
        _ => "f32",
    };

    /// <summary>Rounds a number to an element type.</summary>
    internal static T FromDouble<T>(double value)
        where T : unmanaged =>
        Of<T>() == ElementType.Float64 ? (T)(object)value : (T)(object)(float)value;
}
