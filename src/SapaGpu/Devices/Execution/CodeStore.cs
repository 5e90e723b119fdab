using System.Security.Cryptography;
using System.Text;
using SapaGpu.Kernels.Contracts;

namespace SapaGpu.Devices;

/// <summary>
/// Compiled code of kernels in a folder, for later processes: to compile a window kernel takes seconds. What was compiled
/// by another build of the library lies in another folder.
/// </summary>
/// <remarks>
/// Nothing here fails: what cannot be read, or was not written whole, is compiled again, and what cannot be written is
/// not kept. Several processes may use a folder at once.
/// </remarks>
internal sealed class CodeStore
{
    /// <summary>The environment variable that names the folder where <see cref="DeviceOptions.CodeFolder"/> does not.</summary>
    public const string Variable = "SAPAGPU_CODE_FOLDER";

    private const string Mark = "sapagpu-code-1";
    private static readonly TimeSpan KeptUnused = TimeSpan.FromDays(30);

    private readonly string parent;
    private readonly string folder;
    private bool isTidy;

    private CodeStore(string parent)
    {
        this.parent = parent;
        folder = Path.Combine(parent, Build);
    }

    // The builds of everything that has a part in the code.
    private static string Build { get; } = Hash(string.Join(
        ' ',
        new[] { typeof(CodeStore), typeof(KernelEntry), typeof(ILGPU.Context), typeof(ILGPU.Algorithms.XMath) }
            .Select(type => type.Assembly.ManifestModule.ModuleVersionId)))[..16];

    /// <summary>
    /// The folder of the user's that is for such files, or an empty text where there is none: <c>sapagpu</c> in
    /// <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>, on Windows in the local application data.
    /// </summary>
    public static string DefaultFolder()
    {
        string? named = Environment.GetEnvironmentVariable(Variable);
        if (named is not null)
            return named;
        string? caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (OperatingSystem.IsWindows())
        {
            caches = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        }
        else if (string.IsNullOrEmpty(caches))
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            caches = home.Length == 0 ? string.Empty
                : Path.Combine(home, OperatingSystem.IsMacOS() ? "Library/Caches" : ".cache");
        }
        return string.IsNullOrEmpty(caches) ? string.Empty : Path.Combine(caches, "sapagpu");
    }

    /// <summary>Refers to a folder, which need not exist; null for an empty path, where nothing is kept.</summary>
    public static CodeStore? Open(string? folder) => string.IsNullOrEmpty(folder) ? null : new CodeStore(folder);

    /// <summary>Refers to the default folder.</summary>
    public static CodeStore? OpenDefault() => Open(DefaultFolder());

    /// <summary>What was written for a key, or null.</summary>
    public string? Read(string key)
    {
        try
        {
            string content = File.ReadAllText(PathOf(key));
            int end = content.IndexOf('\n', StringComparison.Ordinal);
            string text = content[(end + 1)..];
            return end > 0 && content[..end] == Header(key, text) ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes a text for a key.</summary>
    public void Write(string key, string text)
    {
        try
        {
            Directory.CreateDirectory(folder);
            RemoveOldBuilds();
            string written = Path.Combine(folder, Path.GetRandomFileName());
            File.WriteAllText(written, $"{Header(key, text)}\n{text}");
            File.Move(written, PathOf(key), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever needs the code compiles it.
        }
    }

    private static string Header(string key, string text) => $"{Mark} {Hash(key + '\n' + text)}";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private string PathOf(string key) => Path.Combine(folder, Hash(key));

    private void RemoveOldBuilds()
    {
        if (isTidy)
            return;
        isTidy = true;
        foreach (string build in Directory.EnumerateDirectories(parent))
        {
            if (Path.GetFileName(build).Length == Build.Length
                && build != folder
                && Directory.GetLastWriteTimeUtc(build) + KeptUnused < DateTime.UtcNow)
            {
                Directory.Delete(build, recursive: true);
            }
        }
    }
}
