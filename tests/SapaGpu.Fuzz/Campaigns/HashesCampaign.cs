using System.Globalization;
using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>Writes a hash of the results of every case, for <see cref="DeterminismCampaign"/> in another process.</summary>
internal sealed class HashesCampaign : Campaign
{
    public const string Name = "hashes";

    private readonly ComputeDevice device = ComputeDevice.Open(DeviceKind.Cpu);

    public static string Line(long number, string hash) =>
        string.Create(CultureInfo.InvariantCulture, $"{Name} {number} {hash}");

    public override void Run(Case problem)
    {
        var (drawn, type) = DeterminismCampaign.Draw(problem);
        var results = drawn.RunOnce(device, type);
        problem.CountCalls(results.Count);
        Console.WriteLine(Line(problem.Number, ResultBits.Hash(results)));
    }

    public override void Dispose() => device.Dispose();
}
