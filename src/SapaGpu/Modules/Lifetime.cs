namespace SapaGpu.Modules;

/// <summary>
/// How long the maps of a module or a context live: until it is disposed and the last call that uses it has ended.
/// </summary>
/// <param name="release">Disposes the maps; runs once.</param>
internal sealed class Lifetime(Action release)
{
    // The owner counts as one user.
    private int users = 1;
    private int disposed;

    public bool IsDisposed => Volatile.Read(ref disposed) != 0;

    /// <summary>Keeps the maps until the use is disposed.</summary>
    /// <param name="owner">The module or context, which an exception names.</param>
    /// <exception cref="ObjectDisposedException">The owner was disposed.</exception>
    public HeldLifetime Hold(object owner)
    {
        int seen = Volatile.Read(ref users);
        while (true)
        {
            ObjectDisposedException.ThrowIf(IsDisposed || seen == 0, owner);
            int before = Interlocked.CompareExchange(ref users, seen + 1, seen);
            if (before == seen)
                return new HeldLifetime(this);
            seen = before;
        }
    }

    /// <summary>Ends the owner's own use.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
            End();
    }

    private void End()
    {
        if (Interlocked.Decrement(ref users) == 0)
            release();
    }

    public readonly ref struct HeldLifetime(Lifetime lifetime)
    {
        public void Dispose() => lifetime.End();
    }
}
