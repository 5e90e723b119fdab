using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace SapaGpu.Native;

/// <summary>Devices, as the C header declares them.</summary>
internal static unsafe class DeviceExports
{
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Open(byte* id, NativeDeviceOptions* options, nint* device)
    {
        try
        {
            NativeStruct.CheckNotNull(device, "device");
            *device = 0;
            var read = NativeDeviceOptions.Read(options);
            *device = Handles.Add(
                Marshal.PtrToStringUTF8((nint)id) is { } name
                    ? ComputeDevice.Open(name, read)
                    : ComputeDevice.OpenDefault(read));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int OnStream(nint device, nint stream, nint* onStream)
    {
        try
        {
            NativeStruct.CheckNotNull(onStream, "on_stream");
            *onStream = 0;
            *onStream = StreamHandles.Of(Handles.Get<ComputeDevice>(device, "device").OnStream(stream));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Close(nint device)
    {
        try
        {
            var closed = Handles.Remove<ComputeDevice>(device, "device");
            closed.Dispose();
            Handles.RemoveWhere<ComputeDevice>(other => other.IsViewOf(closed));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Synchronize(nint device)
    {
        try
        {
            Handles.Get<ComputeDevice>(device, "device").Synchronize();
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int Info(nint device, byte* buffer, nuint capacity, nuint* length)
    {
        try
        {
            var info = Handles.Get<ComputeDevice>(device, "device").Info;
            if (capacity > 0)
                NativeStruct.CheckNotNull(buffer, "buffer");
            byte[] text = Encoding.UTF8.GetBytes($"{info.Id}: {info.Name}, {info.Details}");
            if (length is not null)
                *length = (nuint)text.Length;
            if (capacity > 0)
                WriteText(text, new Span<byte>(buffer, (int)Math.Min(capacity, int.MaxValue)));
            return (int)NativeStatus.Ok;
        }
        catch (Exception e)
        {
            return Failure.Report(e);
        }
    }

    // Cut between characters, with a zero at the end.
    private static void WriteText(ReadOnlySpan<byte> text, Span<byte> buffer)
    {
        int length = Math.Min(text.Length, buffer.Length - 1);
        while (length > 0 && length < text.Length && (text[length] & 0xC0) == 0x80)
            length--;
        text[..length].CopyTo(buffer);
        buffer[length] = 0;
    }
}
