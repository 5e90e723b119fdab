namespace SapaGpu.Fuzz.Files;

/// <summary>A file that is read as it is, to be damaged.</summary>
/// <param name="Name">Its name, whose extension may matter.</param>
/// <param name="Content">What is damaged.</param>
/// <param name="Read">Reads a file at a path and touches all that was read.</param>
internal sealed record SoundFile(string Name, byte[] Content, Action<string> Read)
{
    /// <summary>Gets what makes a file of the damaged content, where that is a part of it only.</summary>
    public Func<byte[], byte[]> Complete { get; init; } = content => content;

    /// <summary>Gets the exceptions that refuse a file.</summary>
    public IReadOnlyList<Type> Refusals { get; init; } = [typeof(InvalidDataException)];
}
