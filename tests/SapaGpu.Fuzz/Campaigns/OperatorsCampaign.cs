using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>Every operator and module against its reference in plain loops, forward and backward.</summary>
internal sealed class OperatorsCampaign(CampaignSettings settings) : DeviceCampaign(settings)
{
    public override void Run(Case problem)
    {
        var (device, drawn, type) = DrawProblem(problem, ProblemCatalogue.All);
        var results = drawn.RunOnce(device, type);
        problem.CountCalls(results.Count);
        new Differential(drawn, type, problem.Draw).Check(results);
    }
}
