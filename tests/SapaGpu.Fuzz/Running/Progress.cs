using System.IO.MemoryMappedFiles;

namespace SapaGpu.Fuzz.Running;

/// <summary>
/// Where a campaign is, written where another process finds it should this one end in the middle of a case.
/// </summary>
internal sealed class Progress : IDisposable
{
    /// <summary>Names the file; without it, nothing is written.</summary>
    public const string Variable = "SAPAGPU_FUZZ_PROGRESS";

    /// <summary>Stands for a case once the campaign has ended.</summary>
    public const long Ended = -1;

    /// <summary>Stands for a case before the campaign has begun.</summary>
    public const long NotBegun = -2;

    private const int Length = 4 * sizeof(long);

    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;

    private Progress(string? path)
    {
        if (path is null)
            return;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, Length);
        view = file.CreateViewAccessor(0, Length);
    }

    /// <summary>Opens the file of this process.</summary>
    public static Progress Open() => new(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Opens the file of a child.</summary>
    public static Progress Open(string path) => new(path);

    public void Begin(long number, long problems, long calls, long failures)
    {
        if (view is null)
            return;
        view.Write(0, number);
        view.Write(sizeof(long), problems);
        view.Write(2 * sizeof(long), calls);
        view.Write(3 * sizeof(long), failures);
    }

    public (long Number, long Problems, long Calls, int Failures) Read() => view is null
        ? default
        : (view.ReadInt64(0), view.ReadInt64(sizeof(long)), view.ReadInt64(2 * sizeof(long)), (int)view.ReadInt64(3 * sizeof(long)));

    public void Dispose()
    {
        view?.Dispose();
        file?.Dispose();
    }
}
