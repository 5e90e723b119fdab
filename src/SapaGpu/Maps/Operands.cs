using System.Runtime.CompilerServices;
using SapaGpu.Devices;

namespace SapaGpu.Maps;

/// <summary>
/// Keeps a device open, and the memory of every map that a call uses, until the call ends: if another thread disposes
/// a map meanwhile, its memory is released when the last call that uses it has ended.
/// </summary>
internal ref struct Operands
{
    private readonly ComputeDevice.DeviceUse device;
    private readonly DeviceMemory[]? others;
    private Memories first;
    private int count;

    private Operands(ComputeDevice.DeviceUse device, int maps)
    {
        this.device = device;
        others = maps > Memories.Length ? new DeviceMemory[maps - Memories.Length] : null;
    }

    /// <summary>Holds the maps that are not null, of which there is at least one, all on one device.</summary>
    /// <exception cref="ObjectDisposedException">A map or the device was disposed.</exception>
    public static Operands Hold(params ReadOnlySpan<FeatureMap?> maps)
    {
        FeatureMap? any = null;
        for (int i = 0; any is null; i++)
            any = maps[i];
        var operands = new Operands(any.Device.Use(), maps.Length);
        try
        {
            foreach (var map in maps)
            {
                if (map is not null)
                    operands.Add(map);
            }
            return operands;
        }
        catch
        {
            operands.Dispose();
            throw;
        }
    }

    public readonly void Dispose()
    {
        for (int i = 0; i < count; i++)
            (i < Memories.Length ? first[i] : others![i - Memories.Length]).Release();
        device.Dispose();
    }

    private void Add(FeatureMap map)
    {
        ObjectDisposedException.ThrowIf(map.IsDisposed, map);
        map.Memory.Retain();
        if (count < Memories.Length)
            first[count] = map.Memory;
        else
            others![count - Memories.Length] = map.Memory;
        count++;
    }

    // Enough for every operator; a module with its parameters needs more.
    [InlineArray(Length)]
    private struct Memories
    {
        public const int Length = 12;
        private DeviceMemory memory;
    }
}
