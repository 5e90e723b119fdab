namespace SapaGpu.Cli.Images;

/// <summary>
/// A file to read. Standard input and pipes, which give their bytes once, are read to their end when they are opened.
/// </summary>
internal sealed class InputFile
{
    private const string StandardInput = "-";

    private readonly string path;
    private readonly byte[]? content;

    private InputFile(string path, byte[]? content)
    {
        this.path = path;
        this.content = content;
    }

    /// <summary>The name in messages.</summary>
    public string Name => IsStandardInput(path) ? "standard input" : path;

    /// <summary>The extension of its name, with the dot; empty for standard input.</summary>
    public string Extension => Path.GetExtension(path);

    /// <summary>The path, or null where the bytes came through a pipe.</summary>
    public string? SeekablePath => content is null ? path : null;

    /// <summary>Whether a name means standard input.</summary>
    public static bool IsStandardInput(string path) => path == StandardInput;

    /// <summary>Opens a file; "-" is standard input.</summary>
    /// <exception cref="InvalidDataException">There is no such file, or nothing came through the pipe.</exception>
    public static InputFile Open(string path)
    {
        if (IsStandardInput(path))
        {
            using var input = Console.OpenStandardInput();
            return new InputFile(path, ReadToEnd(input, "standard input"));
        }
        if (Directory.Exists(path))
            throw new InvalidDataException($"{path}: this is a folder; name a file in it.");
        if (!File.Exists(path))
            throw new InvalidDataException($"{path}: there is no such file.");
        using var stream = File.OpenRead(path);
        return new InputFile(path, stream.CanSeek ? null : ReadToEnd(stream, path));
    }

    /// <summary>Opens the bytes of the file.</summary>
    public Stream OpenStream() => content is null ? File.OpenRead(path) : new MemoryStream(content, writable: false);

    /// <summary>The bytes of the file.</summary>
    public byte[] ReadAll() => content ?? File.ReadAllBytes(path);

    /// <summary>The first bytes of the file, fewer where it is shorter.</summary>
    public byte[] ReadStart(int count)
    {
        using var stream = OpenStream();
        var start = new byte[count];
        return start[..stream.ReadAtLeast(start, count, throwOnEndOfStream: false)];
    }

    private static byte[] ReadToEnd(Stream stream, string name)
    {
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.Length > 0 ? content.ToArray() : throw new InvalidDataException($"{name}: no bytes came.");
    }
}
