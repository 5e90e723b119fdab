namespace SapaGpu.Checkpoints;

/// <summary>
/// A value of a pickle that is not understood: a name that the pickle refers to, or an object that Python would build
/// with it. Nothing is built; what is put into it is dropped.
/// </summary>
/// <param name="module">The Python module of the name.</param>
/// <param name="name">The name within the module.</param>
/// <param name="isTensor">Whether it is a tensor, of a type or a layout that is not read.</param>
internal sealed class OpaqueValue(string module, string name, bool isTensor = false)
{
    /// <summary>Gets the Python module of the name.</summary>
    public string Module { get; } = module;

    /// <summary>Gets the name within the module.</summary>
    public string Name { get; } = name;

    /// <summary>Gets whether it is a tensor, of a type or a layout that is not read.</summary>
    public bool IsTensor { get; } = isTensor;

    // Composed only for a message: a pickle can name the same long text any number of times.
    public override string ToString() =>
        $"{(IsTensor ? "a tensor" : "an object")} of {ShownText.Quoted($"{Module}.{Name}")}";
}
