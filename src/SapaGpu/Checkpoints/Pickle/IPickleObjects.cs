namespace SapaGpu.Checkpoints;

/// <summary>Decides which globals a pickle may name and what it may call.</summary>
internal interface IPickleObjects
{
    /// <summary>The object that represents a Python global.</summary>
    /// <exception cref="InvalidDataException">The global is not allowed.</exception>
    object FindGlobal(string module, string name);

    /// <summary>The result of a call.</summary>
    /// <exception cref="InvalidDataException">The object cannot be called, or not with these arguments.</exception>
    object Call(object? callable, object?[] arguments);

    /// <summary>The object that is stored outside of the pickle.</summary>
    /// <exception cref="InvalidDataException">There is no such object.</exception>
    object LoadPersistent(object? id);
}
