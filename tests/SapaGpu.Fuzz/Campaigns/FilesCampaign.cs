using System.Diagnostics;
using SapaGpu.Fuzz.Files;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>
/// Damaged files of every format that is read: they are read or refused by the documented exception, in bounded time and
/// memory.
/// </summary>
internal sealed class FilesCampaign : Campaign
{
    private const long LargestMemory = 256L << 20;
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder folder = new();
    private readonly ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu, 0, new DeviceOptions { Threads = 1 });
    private readonly IReadOnlyList<SoundFile> files;

    public FilesCampaign()
    {
        files = [.. CheckpointFiles.All(), .. ModelFiles.All(device), .. ArrayFiles.All(), .. ImageFiles.All(), .. VectorFiles.All(device)];
        foreach (var file in files)
            Read(file, file.Content);
    }

    public override void Run(Case problem)
    {
        var file = problem.Draw.Among(files);
        var damaged = Damage.Of(file.Content, problem.Draw);
        problem.Describe($"{file.Name}, {damaged.Length} bytes, {Convert.ToBase64String(damaged)}");
        problem.CountCalls(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        try
        {
            Read(file, damaged);
        }
        catch (Exception e) when (file.Refusals.Any(type => type.IsInstanceOfType(e)))
        {
            if (e.Message.AsSpan().IndexOfAny('\r', '\n') >= 0)
                throw new FuzzFailureException($"The message has several lines: {e.Message}");
        }
        if (watch.Elapsed > LongestRead)
            throw new FuzzFailureException($"Reading took {watch.Elapsed.TotalSeconds:f1} s.");
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > LargestMemory)
            throw new FuzzFailureException($"Reading allocated {allocated >> 20} MiB.");
    }

    public override void Dispose()
    {
        device.Dispose();
        folder.Dispose();
    }

    private void Read(SoundFile file, byte[] content)
    {
        string path = folder[file.Name];
        File.WriteAllBytes(path, file.Complete(content));
        file.Read(path);
    }
}
