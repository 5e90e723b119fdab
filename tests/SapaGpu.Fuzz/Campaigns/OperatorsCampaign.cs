using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>Every operator and module against its reference in plain loops, forward and backward.</summary>
internal sealed class OperatorsCampaign(CampaignSettings settings) : Campaign
{
    private readonly IReadOnlyList<ComputeDevice> devices = FuzzDevices.Open(settings.Device);

    public override int CasesPerKernel => settings.IsGpu ? FuzzDevices.CasesPerKernel : 1;

    public override TimeSpan Patience => settings.IsGpu ? FuzzDevices.Patience : base.Patience;

    public override void Run(Case problem)
    {
        var device = problem.Draw.Among(devices);
        var (drawn, type) = ProblemCatalogue.Of(problem, ProblemCatalogue.All, FuzzDevices.Types(device));
        problem.Describe($"on {device}, {device.Options}");
        var results = drawn.RunOnce(device, type);
        problem.CountCalls(results.Count);
        new Differential(drawn, type, problem.Draw).Check(results);
    }

    public override void Dispose()
    {
        foreach (var device in devices)
            device.Dispose();
    }
}
