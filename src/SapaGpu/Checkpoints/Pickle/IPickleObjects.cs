namespace SapaGpu.Checkpoints;

/// <summary>Decides what the globals that a pickle names stand for, and what comes of its calls.</summary>
internal interface IPickleObjects
{
    /// <summary>
    /// The object that represents a Python global; an <see cref="OpaqueValue"/> for one that is not known.
    /// </summary>
    object FindGlobal(string module, string name);

    /// <summary>The result of a call; an <see cref="OpaqueValue"/> if it is not known.</summary>
    /// <exception cref="InvalidDataException">The object cannot be called, or not with these arguments.</exception>
    object Call(object? callable, object?[] arguments);

    /// <summary>The object that is stored outside of the pickle.</summary>
    /// <exception cref="InvalidDataException">There is no such object.</exception>
    object LoadPersistent(object? id);
}
