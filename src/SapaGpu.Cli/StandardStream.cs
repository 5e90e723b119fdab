using System.Text;

namespace SapaGpu.Cli;

/// <summary>
/// Standard output or standard error, which may be full, closed or a stream of another kind: output that cannot be written
/// is an error with a message that says so; errors that cannot be written have nobody to read them, and the exit code still
/// tells.
/// </summary>
internal sealed class StandardStream : TextWriter
{
    private readonly TextWriter inner;
    private readonly Func<Exception, Exception?> translate;

    private StandardStream(TextWriter inner, Func<Exception, Exception?> translate)
    {
        this.inner = inner;
        this.translate = translate;
    }

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <summary>Standard output.</summary>
    public static StandardStream Output(TextWriter inner) => new(
        inner, e => new IOException($"standard output: cannot be written ({e.Message.TrimEnd('.')}).", e));

    /// <summary>Standard error.</summary>
    public static StandardStream Error(TextWriter inner) => new(inner, _ => null);

    /// <inheritdoc/>
    public override void Write(char value) => Try(() => inner.Write(value));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(() => inner.Write(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    /// <inheritdoc/>
    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (
            e is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
        {
            if (translate(e) is { } error)
                throw error;
        }
    }
}
