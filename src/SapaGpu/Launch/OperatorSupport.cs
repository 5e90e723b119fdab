namespace SapaGpu;

/// <summary>What the operators support, as data: for dispatch, for error messages, for tests and for people.</summary>
public static class OperatorSupport
{
    /// <summary>The largest window width K.</summary>
    public const int MaximumWindow = 15;

    /// <summary>The largest upsampling ratio s.</summary>
    public const int MaximumScale = 16;

    /// <summary>
    /// Gets the window widths that the thread-group programs have compiled in; others run the general one.
    /// </summary>
    public static IReadOnlyList<int> FastWindows { get; } = [3, 5, 7];

    /// <summary>Gets the upsampling ratio that the thread-group programs have compiled in.</summary>
    public static int FastScale => 2;

    /// <summary>Every reason why a window operator does not run; none if it does.</summary>
    /// <param name="device">What is known of the device.</param>
    /// <param name="elementType">The element type of the operands.</param>
    /// <param name="window">K, the width of the window.</param>
    /// <param name="scale">s, the upsampling ratio.</param>
    public static IReadOnlyList<string> Reasons(DeviceInfo device, ElementType elementType, int window, int scale)
    {
        ArgumentNullException.ThrowIfNull(device);
        var reasons = new List<string>();
        if (window % 2 == 0)
            reasons.Add($"the window is {window}, and it must be odd");
        if (window is < 1 or > MaximumWindow)
            reasons.Add($"the window is {window}, and it must be from 1 to {MaximumWindow}");
        if (scale is < 1 or > MaximumScale)
            reasons.Add($"the scale is {scale}, and it must be from 1 to {MaximumScale}");
        reasons.AddRange(Reasons(device, elementType));
        return reasons;
    }

    /// <summary>Every reason why operators on an element type do not run on a device; none if they do.</summary>
    public static IReadOnlyList<string> Reasons(DeviceInfo device, ElementType elementType)
    {
        ArgumentNullException.ThrowIfNull(device);
        return elementType == ElementType.Float64 && !device.SupportsFloat64
            ? [$"the device {device.Id} ({device.Name}) has no double precision"]
            : [];
    }

    /// <summary>Every reason why a window operator does not run; none if it does.</summary>
    /// <param name="device">What is known of the device.</param>
    /// <param name="elementType">The element type of the operands.</param>
    /// <param name="shape">The problem.</param>
    /// <param name="border">What taps outside the decoder map count for.</param>
    public static IReadOnlyList<string> Reasons(
        DeviceInfo device, ElementType elementType, WindowShape shape, BorderRule border)
    {
        var reasons = new List<string>(Reasons(device, elementType, shape.Window, scale: 1));
        if (!RatioFits(in shape))
        {
            reasons.Add(
                $"the output is {shape.OutputShape.Height}x{shape.OutputShape.Width}, and it must be at most " +
                $"{MaximumScale} times {shape.KeyShape.Height}x{shape.KeyShape.Width}");
        }
        if (!BorderFits(in shape, border))
        {
            reasons.Add(
                $"the window of {shape.Window} is larger than the map of {shape.KeyShape.Height}x{shape.KeyShape.Width} " +
                $"that it must be moved into (border {BorderRule.Shifted})");
        }
        return reasons;
    }

    /// <summary>Checks a width of windows that a module is made with, before there is a device or an operand.</summary>
    /// <exception cref="NotSupportedException">It is even or out of range.</exception>
    internal static void CheckWindow(int window)
    {
        if (window is < 1 or > MaximumWindow || window % 2 == 0)
        {
            throw new NotSupportedException(
                $"The window is {window}, and it must be odd and from 1 to {MaximumWindow}.");
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
