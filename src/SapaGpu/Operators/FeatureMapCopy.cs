using SapaGpu.Maps;
using SapaGpu.Operators;

namespace SapaGpu;

/// <summary>Copies maps on a device.</summary>
public static class FeatureMapCopy
{
    /// <summary>
    /// Copies all elements of another map of the same shape and device; the formats may differ.
    /// </summary>
    /// <typeparam name="T">float, double, <see cref="Half"/> or <see cref="BFloat16"/>.</typeparam>
    /// <param name="target">The map to write, [B, C, H, W].</param>
    /// <param name="source">The map to read, [B, C, H, W].</param>
    /// <exception cref="ArgumentException">The shapes differ, or the maps share memory.</exception>
    /// <exception cref="DeviceMismatchException">The maps are on different devices.</exception>
    /// <exception cref="ObjectDisposedException">A map or the device was disposed.</exception>
    public static void CopyFrom<T>(this FeatureMap<T> target, FeatureMap<T> source)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(source);
        Operand from = new(nameof(source), source), to = new(nameof(target), target);
        OperandChecks.SameDevice(from, to);
        OperandChecks.Shape(nameof(source), source, target.Shape, from, to);
        OperandChecks.NoOverlap(nameof(target), target, from);
        Conversions.Copy(source, target);
    }
}
