using SapaGpu.Workloads.Vectors;

namespace SapaGpu.Fuzz.Files;

/// <summary>The descriptions of test vectors, which <c>sapagpu verify</c> reads, and their arrays.</summary>
internal static class VectorFiles
{
    private const string Case = "interpolate_nearest";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "vectors", Case);

    // What the tool turns into a message.
    private static readonly Type[] Refusals =
    [
        typeof(InvalidDataException), typeof(IOException), typeof(NotSupportedException), typeof(ArgumentException),
        typeof(UnauthorizedAccessException),
    ];

    public static IEnumerable<SoundFile> All(ComputeDevice device)
    {
        foreach (string name in new[] { "case.json", "x.npy" })
        {
            string own = name;
            yield return new(own, File.ReadAllBytes(Path.Combine(Folder, own)), path => Run(path, own, device))
            {
                Refusals = Refusals,
            };
        }
    }

    // The other files of the case are sound.
    private static void Run(string damaged, string name, ComputeDevice device)
    {
        using var folder = new TemporaryFolder();
        foreach (string file in Directory.GetFiles(Folder))
            File.Copy(file, folder[Path.GetFileName(file)]);
        File.Copy(damaged, folder[name], overwrite: true);
        _ = VectorSuite.Run(VectorCase.Read(folder.Path), device, ElementType.Float32).Status;
    }
}
