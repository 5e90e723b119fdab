namespace SapaGpu.Checkpoints;

/// <summary>What a pickle may name and call. It decides; the pickle only asks.</summary>
internal interface IPickleObjects
{
    /// <summary>The object that stands for a Python global.</summary>
    /// <exception cref="InvalidDataException">The global is not known.</exception>
    object FindGlobal(string module, string name);

    /// <summary>The result of a call.</summary>
    /// <exception cref="InvalidDataException">That cannot be called, or not like that.</exception>
    object Call(object? callable, object?[] arguments);

    /// <summary>The object that is stored outside of the pickle.</summary>
    /// <exception cref="InvalidDataException">There is no such object.</exception>
    object LoadPersistent(object? id);
}
