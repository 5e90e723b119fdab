using System.Collections.Concurrent;

namespace SapaGpu.Devices;

/// <summary>The views of a device on streams, one for each stream that was asked for.</summary>
internal sealed class StreamViews
{
    private readonly ConcurrentDictionary<nint, ComputeDevice> views = new();
    private readonly Lock gate = new();

    public bool IsEmpty => views.IsEmpty;

    /// <summary>Finds the view of a stream; null if there is none, or somebody has disposed it.</summary>
    public ComputeDevice? Find(nint stream) =>
        views.TryGetValue(stream, out var view) && !view.IsDisposed ? view : null;

    /// <summary>Finds the view of a stream, or adds one.</summary>
    public ComputeDevice FindOrAdd(nint stream, Func<ComputeDevice> create)
    {
        lock (gate)
            return Find(stream) ?? (views[stream] = create());
    }

    /// <summary>Forgets a view that was disposed.</summary>
    public void Forget(ComputeDevice view)
    {
        foreach (var known in views)
        {
            if (ReferenceEquals(known.Value, view))
                views.TryRemove(known);
        }
    }

    /// <summary>Frees what the pools keep for reuse, but for those that are in use at this moment.</summary>
    public void TryTrim()
    {
        foreach (var view in views.Values)
            view.Pool.TryTrim();
    }

    /// <summary>Returns all views and forgets them.</summary>
    public IReadOnlyCollection<ComputeDevice> TakeAll()
    {
        var all = views.Values;
        views.Clear();
        return [.. all];
    }
}
