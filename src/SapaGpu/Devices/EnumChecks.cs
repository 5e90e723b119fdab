using System.Runtime.CompilerServices;

namespace SapaGpu.Devices;

/// <summary>Rejects values that an enumeration does not define.</summary>
internal static class EnumChecks
{
    /// <summary>Returns a defined value of an enumeration; combinations of flags without a name are rejected.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The value is not defined; the message lists those that are.
    /// </exception>
    public static TEnum Defined<TEnum>(TEnum value, [CallerArgumentExpression(nameof(value))] string? name = null)
        where TEnum : struct, Enum
    {
        if (Enum.IsDefined(value))
            return value;
        throw new ArgumentOutOfRangeException(
            name,
            $"{value} is not a value of {typeof(TEnum).Name}; choose {string.Join(", ", Enum.GetNames<TEnum>())}.");
    }
}
