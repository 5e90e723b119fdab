using System.Runtime.CompilerServices;

namespace SapaGpu.Native;

/// <summary>The handles of devices on streams: one for each, whoever asks.</summary>
internal static class StreamHandles
{
    private static readonly ConditionalWeakTable<ComputeDevice, StrongBox<nint>> Known = [];

    /// <summary>Returns the handle of a view, made when it is asked for first.</summary>
    public static nint Of(ComputeDevice view)
    {
        if (Known.TryGetValue(view, out var handle))
            return handle.Value;
        lock (Known)
        {
            if (!Known.TryGetValue(view, out handle))
                Known.Add(view, handle = new StrongBox<nint>(Handles.Add(view)));
            return handle.Value;
        }
    }
}
