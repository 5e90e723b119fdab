using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SapaGpu.Native;

/// <summary>What queries see in cross-resolution attention, as the C header declares it.</summary>
internal static unsafe class RangesExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateWindow(
        int height,
        int width,
        int outputHeight,
        int outputWidth,
        int windowHeight,
        int windowWidth,
        int border,
        nint* ranges)
    {
        try
        {
            Begin(ranges);
            *ranges = Handles.Add(WindowRanges.Window(
                height, width, outputHeight, outputWidth, windowHeight, windowWidth, (BorderRule)border));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateWhole(int height, int width, int outputHeight, int outputWidth, nint* ranges)
    {
        try
        {
            Begin(ranges);
            *ranges = Handles.Add(WindowRanges.Whole(height, width, outputHeight, outputWidth));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateRatio(
        int height, int width, int outputHeight, int outputWidth, float ratio, nint* ranges)
    {
        try
        {
            Begin(ranges);
            *ranges = Handles.Add(WindowRanges.Ratio(height, width, outputHeight, outputWidth, ratio));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int CreateTable(
        int height, int width, int outputHeight, int outputWidth, int* rows, int* columns, nint* ranges)
    {
        try
        {
            Begin(ranges);
            *ranges = Handles.Add(new WindowRanges(
                Table(height, outputHeight, rows, "rows"), Table(width, outputWidth, columns, "columns")));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Close(nint ranges)
    {
        try
        {
            Handles.Remove<WindowRanges>(ranges, "ranges");
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    private static void Begin(nint* ranges)
    {
        NativeStruct.CheckNotNull(ranges, "ranges");
        *ranges = 0;
    }

    private static AxisRanges Table(int cells, int outputs, int* table, string name)
    {
        NativeStruct.CheckNotNull(table, name);
        if (outputs < 1)
            throw new ArgumentException($"'{name}' is for {outputs} outputs; there must be at least 1.");
        var pairs = new (int First, int End)[outputs];
        for (int i = 0; i < outputs; i++)
            pairs[i] = (table[2 * i], table[2 * i + 1]);
        try
        {
            return AxisRanges.Of(cells, pairs);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"'{name}': {e.Message}", e.ParamName, e);
        }
    }
}
