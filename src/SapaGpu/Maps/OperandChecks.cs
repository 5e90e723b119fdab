using System.Text;

namespace SapaGpu.Maps;

/// <summary>The checks that the operators share. Error messages list every operand and suggest a fix.</summary>
internal static class OperandChecks
{
    /// <summary>
    /// Checks that no operand or its device is disposed and that all are on one stream of one device; null operands are skipped.
    /// </summary>
    public static void SameDevice(params ReadOnlySpan<Operand> operands)
    {
        FeatureMap? first = null;
        string firstName = string.Empty;
        foreach (var (name, map) in operands)
        {
            if (map is null)
                continue;
            if (map.IsDisposed)
                throw new ObjectDisposedException(name, $"'{name}' was disposed before the call.");
            if (map.Device.IsDisposed)
                throw new ObjectDisposedException(name, $"The device {map.Device.Id} of '{name}' was disposed before the call.");
            if (first is null)
            {
                first = map;
                firstName = name;
            }
            else if (!first.Device.SharesQueueWith(map.Device))
            {
                string remedy = first.Device.SharesMemoryWith(map.Device)
                    ? "bring one to the stream of the other with On(device), and order the streams. "
                    : "move one with To(device). ";
                throw new DeviceMismatchException(
                    $"'{firstName}' is on {first.Device}, but '{name}' is on {map.Device}; {remedy}{Describe(operands)}");
            }
        }
    }

    /// <summary>Checks that an operand has the shape that follows from the others.</summary>
    public static void Shape(string name, FeatureMap map, MapShape expected, params ReadOnlySpan<Operand> operands)
    {
        if (map.Shape != expected)
            throw new ArgumentException(
                $"'{name}' must be {expected}, but is {map.Shape}. {Describe(operands)}", name);
    }

    /// <summary>Checks that operands have the type that maps of an element type are computed in.</summary>
    /// <typeparam name="T">The element type of the maps.</typeparam>
    public static void Accumulator<T>(params ReadOnlySpan<Operand> operands)
        where T : unmanaged
    {
        var expected = ElementTypes.Of<T>().Accumulator();
        foreach (var (name, map) in operands)
        {
            if (map is not null && map.ElementType != expected)
            {
                throw new ArgumentException(
                    $"'{name}' must be {expected.ShortName()} for maps of {ElementTypes.Of<T>().ShortName()}, but is " +
                    $"{map.ElementType.ShortName()}. {Describe(operands)}",
                    name);
            }
        }
    }

    /// <summary>Checks that a map that is written shares no memory with the others.</summary>
    public static void NoOverlap(string name, FeatureMap? written, params ReadOnlySpan<Operand> others)
    {
        if (written is null)
            return;
        foreach (var (otherName, other) in others)
        {
            if (other is not null && !(ReferenceEquals(written, other) && otherName == name)
                && MapOverlap.Exists(written, other))
            {
                throw new ArgumentException(
                    $"'{name}' is written, but shares memory with '{otherName}'; pass a map with separate memory. " +
                    Describe(others),
                    name);
            }
        }
    }

    /// <summary>Lists the operands with name, shape, element type, format and device.</summary>
    public static string Describe(params ReadOnlySpan<Operand> operands)
    {
        var text = new StringBuilder("Operands:");
        foreach (var (name, map) in operands)
        {
            if (map is not null)
                text.Append(text.Length > 9 ? ", " : " ").Append(name).Append(' ').Append(map);
        }
        return text.Append('.').ToString();
    }
}
