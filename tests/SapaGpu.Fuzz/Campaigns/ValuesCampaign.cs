using SapaGpu.Fuzz.Problems;
using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Campaigns;

/// <summary>
/// Operators on numbers at the ends of their types: NaN, infinities and zeros of either sign among ordinary values, whole
/// operands of subnormal or huge values, scores of any size.
/// </summary>
internal sealed class ValuesCampaign(CampaignSettings settings) : DeviceCampaign(settings)
{
    public override void Run(Case problem)
    {
        var (device, drawn, type) = DrawProblem(problem, ProblemCatalogue.Operators);
        var extremes = new ExtremeValues(drawn, type, problem.Draw);
        switch (problem.Draw.Int(0, 3))
        {
            case 0:
                problem.Describe(extremes.Scale());
                Compare(problem, drawn, device, type);
                break;
            case 1 when extremes.TryEnlargeScores() is { } change:
                problem.Describe(change);
                Compare(problem, drawn, device, type);
                break;
            case 2:
                Contain(problem, drawn, device, type, extremes);
                break;
            default:
                problem.Describe(extremes.Spoil(lastImage: int.MaxValue));
                Compare(problem, drawn, device, type);
                break;
        }
    }

    private static void Compare(Case problem, OperatorProblem drawn, ComputeDevice device, ElementType type)
    {
        var results = drawn.RunOnce(device, type);
        problem.CountCalls(results.Count);
        new ExtremeComparison(drawn, type, problem.Draw).Check(results);
    }

    // What is spoilt in the first image reaches no other.
    private static void Contain(
        Case problem, OperatorProblem drawn, ComputeDevice device, ElementType type, ExtremeValues extremes)
    {
        var sound = drawn.RunOnce(device, type);
        problem.Describe(extremes.Spoil(lastImage: 0));
        var spoilt = drawn.RunOnce(device, type);
        problem.CountCalls(2 * sound.Count);
        new ExtremeComparison(drawn, type, problem.Draw).CheckOtherImages(sound, spoilt);
    }
}
