using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>Problems with a reference, on any device.</summary>
internal abstract class DeviceCampaign(CampaignSettings settings) : Campaign
{
    private readonly IReadOnlyList<ComputeDevice> devices = FuzzDevices.Open(settings.Device);

    public override int CasesPerKernel => settings.IsGpu ? FuzzDevices.CasesPerKernel : 1;

    public override TimeSpan Patience => settings.IsGpu ? FuzzDevices.Patience : base.Patience;

    public override void Dispose()
    {
        foreach (var device in devices)
            device.Dispose();
    }

    /// <summary>Draws a device and a problem for it, and describes both.</summary>
    protected (ComputeDevice Device, OperatorProblem Problem, ElementType Type) DrawProblem(
        Case problem, IReadOnlyList<Func<Draw, Draw, OperatorProblem>> makers)
    {
        var device = problem.Draw.Among(devices);
        var (drawn, type) = ProblemCatalogue.Of(problem, makers, FuzzDevices.Types(device));
        problem.Describe($"on {device}, {device.Options}");
        return (device, drawn, type);
    }
}
