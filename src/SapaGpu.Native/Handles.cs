using System.Collections.Concurrent;

namespace SapaGpu.Native;

/// <summary>
/// What the caller has open. Handles are numbers that are never used again, so that a closed one is recognised.
/// </summary>
internal static class Handles
{
    private static readonly ConcurrentDictionary<nint, object> Open = new();
    private static long last;

    public static nint Add(object target)
    {
        nint handle = (nint)Interlocked.Increment(ref last);
        Open[handle] = target;
        return handle;
    }

    /// <exception cref="InvalidHandleException">The handle is not open, or of something else.</exception>
    public static T Get<T>(nint handle, string name)
        where T : class =>
        Open.TryGetValue(handle, out object? target) && target is T found ? found : throw Invalid(handle, name);

    /// <summary>Forgets a handle and returns its target, to one caller only.</summary>
    /// <exception cref="InvalidHandleException">The handle is not open, or of something else.</exception>
    public static T Remove<T>(nint handle, string name)
        where T : class
    {
        var target = Get<T>(handle, name);
        return Open.TryRemove(KeyValuePair.Create(handle, (object)target)) ? target : throw Invalid(handle, name);
    }

    /// <summary>Forgets the handles of all targets of a kind.</summary>
    public static void RemoveWhere<T>(Func<T, bool> isRemoved)
        where T : class
    {
        foreach (var handle in Open)
        {
            if (handle.Value is T target && isRemoved(target))
                Open.TryRemove(handle);
        }
    }

    private static InvalidHandleException Invalid(nint handle, string name) => new(
        handle == 0
            ? $"'{name}' is null; open one first."
            : $"'{name}' is no open {name}: 0x{handle:x} was closed, or is a handle of something else.");
}
