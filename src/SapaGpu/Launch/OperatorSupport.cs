using SapaGpu.Devices;

namespace SapaGpu;

/// <summary>The limits of the operators, and the reasons why a problem is not supported.</summary>
public static class OperatorSupport
{
    /// <summary>The largest window width K; windows are odd.</summary>
    public const int MaximumWindow = 15;

    /// <summary>The largest upsampling ratio s, for each axis.</summary>
    public const int MaximumScale = 16;

    /// <summary>
    /// Gets the window widths that have specialised kernels on a GPU: for softmax, an integer ratio and the borders
    /// <see cref="BorderRule.ZeroLogit"/> and <see cref="BorderRule.Masked"/>. All else runs the general kernels.
    /// </summary>
    public static IReadOnlyList<int> FastWindows { get; } = [3, 5, 7];

    /// <summary>Gets the upsampling ratio that has specialised kernels on a GPU, under the same conditions.</summary>
    public static int FastScale => 2;

    /// <summary>Returns all reasons why a window operator is not supported; empty if it is.</summary>
    /// <param name="device">The description of the device.</param>
    /// <param name="elementType">The element type of the operands.</param>
    /// <param name="window">K, the width of the window.</param>
    /// <param name="scale">s, the upsampling ratio.</param>
    /// <exception cref="ArgumentOutOfRangeException">The element type is not defined.</exception>
    public static IReadOnlyList<string> Reasons(DeviceInfo device, ElementType elementType, int window, int scale)
    {
        ArgumentNullException.ThrowIfNull(device);
        var reasons = new List<string>();
        if (window % 2 == 0)
            reasons.Add($"the window is {window}, but must be odd");
        if (window is < 1 or > MaximumWindow)
            reasons.Add($"the window is {window}, but must be from 1 to {MaximumWindow}");
        if (scale is < 1 or > MaximumScale)
            reasons.Add($"the scale is {scale}, but must be from 1 to {MaximumScale}");
        reasons.AddRange(Reasons(device, elementType));
        return reasons;
    }

    /// <summary>Returns all reasons why a device does not support an element type; empty if it does.</summary>
    /// <param name="device">The description of the device.</param>
    /// <param name="elementType">The element type.</param>
    /// <exception cref="ArgumentOutOfRangeException">The element type is not defined.</exception>
    public static IReadOnlyList<string> Reasons(DeviceInfo device, ElementType elementType)
    {
        ArgumentNullException.ThrowIfNull(device);
        return EnumChecks.Defined(elementType) == ElementType.Float64 && !device.SupportsFloat64
            ? [$"the device {device.Id} ({device.Name}) does not support double precision"]
            : [];
    }

    /// <summary>Returns all reasons why a window operator is not supported; empty if it is.</summary>
    /// <param name="device">The description of the device.</param>
    /// <param name="elementType">The element type of the operands.</param>
    /// <param name="shape">The shape of the problem.</param>
    /// <param name="border">How taps outside the decoder map are treated.</param>
    /// <exception cref="ArgumentOutOfRangeException">Element type or border is not defined.</exception>
    public static IReadOnlyList<string> Reasons(
        DeviceInfo device, ElementType elementType, WindowShape shape, BorderRule border)
    {
        EnumChecks.Defined(border);
        var reasons = new List<string>(Reasons(device, elementType, shape.Window, scale: 1));
        if (!RatioFits(in shape))
        {
            reasons.Add(
                $"the output is {shape.OutputShape.Height}x{shape.OutputShape.Width}, but must be at most " +
                $"{MaximumScale} times {shape.KeyShape.Height}x{shape.KeyShape.Width}");
        }
        if (!BorderFits(in shape, border))
        {
            reasons.Add(
                $"the window of {shape.Window} is larger than the map of " +
                $"{shape.KeyShape.Height}x{shape.KeyShape.Width}, which border {BorderRule.Shifted} does not allow");
        }
        return reasons;
    }

    /// <summary>Checks the window width of a module, before there is a device or an operand.</summary>
    /// <exception cref="NotSupportedException">The width is even or out of range.</exception>
    internal static void CheckWindow(int window)
    {
        if (window is < 1 or > MaximumWindow || window % 2 == 0)
        {
            throw new NotSupportedException(
                $"The window is {window}, but must be odd and from 1 to {MaximumWindow}.");
        }
    }

    /// <summary>Whether a window operator runs; the same answer as
    /// <see cref="Reasons(DeviceInfo, ElementType, WindowShape, BorderRule)"/> without building it.</summary>
    internal static bool Runs(DeviceInfo device, ElementType elementType, in WindowShape shape, BorderRule border) =>
        shape.Window is >= 1 and <= MaximumWindow && shape.Window % 2 == 1
        && RatioFits(in shape) && BorderFits(in shape, border)
        && (elementType != ElementType.Float64 || device.SupportsFloat64);

    private static bool RatioFits(in WindowShape shape) =>
        shape.OutputShape.Height <= (long)MaximumScale * shape.KeyShape.Height
        && shape.OutputShape.Width <= (long)MaximumScale * shape.KeyShape.Width;

    private static bool BorderFits(in WindowShape shape, BorderRule border) =>
        border != BorderRule.Shifted
        || (shape.Window <= shape.KeyShape.Height && shape.Window <= shape.KeyShape.Width);
}
