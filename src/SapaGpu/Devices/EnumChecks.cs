using System.Runtime.CompilerServices;

namespace SapaGpu.Devices;

/// <summary>Refuses numbers that no value of an enumeration has.</summary>
internal static class EnumChecks
{
    /// <summary>Returns a value of an enumeration, or of its flags together.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// There is no such value; the message lists those that there are.
    /// </exception>
    public static TEnum Defined<TEnum>(TEnum value, [CallerArgumentExpression(nameof(value))] string? name = null)
        where TEnum : struct, Enum
    {
        if (Enum.IsDefined(value))
            return value;
        throw new ArgumentOutOfRangeException(
            name, $"{value} is no {typeof(TEnum).Name}; choose {string.Join(", ", Enum.GetNames<TEnum>())}.");
    }
}
