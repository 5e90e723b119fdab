using SapaGpu.Fuzz.Running;

namespace SapaGpu.Fuzz.Problems;

/// <summary>Every operator and module that has a reference.</summary>
internal static class ProblemCatalogue
{
    public static IReadOnlyList<Func<Draw, Draw, OperatorProblem>> Operators { get; } =
    [
        (draw, kernel) => new AttentionProblem(draw, kernel),
        (draw, kernel) => new SimilarityProblem(draw, kernel),
        (draw, kernel) => new WeightsProblem(draw, kernel),
        (draw, kernel) => new ReassemblyProblem(draw, kernel),
        (draw, kernel) => new DeformableProblem(draw, kernel),
        (draw, kernel) => new ProjectionProblem(draw, kernel),
        (draw, kernel) => new NormProblem(draw, kernel),
        (draw, kernel) => new BlendProblem(draw, kernel),
        (draw, kernel) => new InterpolateProblem(draw, kernel),
        (draw, kernel) => new CrossAttentionProblem(draw, kernel),
    ];

    public static IReadOnlyList<Func<Draw, Draw, OperatorProblem>> SecondDerivatives { get; } =
    [
        (draw, kernel) => new CrossSecondProblem(draw, kernel),
    ];

    public static IReadOnlyList<Func<Draw, Draw, OperatorProblem>> Modules { get; } =
    [
        (draw, kernel) => new SapaProblem(draw, kernel),
        (draw, kernel) => new SapaDeformableProblem(draw, kernel),
        (draw, kernel) => new CarafeProblem(draw, kernel),
        (draw, kernel) => new NafProblem(draw, kernel),
        (draw, kernel) => new AnyUpProblem(draw, kernel),
    ];

    public static IReadOnlyList<Func<Draw, Draw, OperatorProblem>> All { get; } = [.. Operators, .. SecondDerivatives, .. Modules];

    /// <summary>Draws a problem with values rounded to an element type that it can be compared in, and describes it.</summary>
    public static (OperatorProblem Problem, ElementType Type) Of(
        Case problem, IReadOnlyList<Func<Draw, Draw, OperatorProblem>> makers, IReadOnlyList<ElementType> types)
    {
        var drawn = problem.Kernel.Among(makers)(problem.Draw, problem.Kernel);
        var supported = types.Where(drawn.Supports).ToArray();
        var type = problem.Kernel.Of(supported);
        drawn.RoundTo(type);
        problem.Describe(drawn.Describe(type));
        return (drawn, type);
    }
}
