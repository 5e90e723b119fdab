using SapaGpu.Fuzz.Running;
using SapaGpu.Maps;

namespace SapaGpu.Fuzz.Problems;

/// <summary>One operator or module with operands, drawn at random, and its reference in plain loops.</summary>
internal abstract class OperatorProblem
{
    protected OperatorProblem(Draw draw, Draw kernel)
    {
        (Draw, Kernel) = (draw, kernel);
        IsIntoOwn = draw.OnceIn(2);
    }

    /// <summary>Gets the name of the operator, with its options.</summary>
    public abstract string Name { get; }

    public List<Operand> Operands { get; } = [];

    /// <summary>Gets the gradient of the output, which lies in memory like an output of the caller.</summary>
    public Operand GradOutput { get; private set; } = null!;

    /// <summary>Gets whether results are written into maps of the caller, where the operator has such a form.</summary>
    public bool IsIntoOwn { get; }

    /// <summary>Gets the gradients that are asked for.</summary>
    public Gradients Wanted { get; private set; } = Gradients.All;

    /// <summary>Gets whether the element type can be compared with the reference.</summary>
    public virtual bool Supports(ElementType type) => true;

    protected Draw Draw { get; }

    /// <summary>Gets the draws that decide which kernel runs.</summary>
    protected Draw Kernel { get; }

    /// <summary>The output of the reference, with derivatives.</summary>
    public abstract ReferenceMap Expected();

    /// <summary>Runs forward and backward once.</summary>
    public abstract void Run<T>(Execution<T> run)
        where T : unmanaged;

    /// <summary>Makes what several runs share, a module.</summary>
    public virtual IDisposable? Prepare<T>(ComputeDevice device)
        where T : unmanaged => null;

    /// <summary>How many times as far from the reference a result may be as one that is rounded once.</summary>
    public virtual double Roundings(ElementType type, bool backward) => 1;

    /// <summary>
    /// Gets whether NaN and infinities come out as the reference has them. They need not where factors are combined
    /// before they are multiplied: bilinear weights, weights of taps that stand for the same cell.
    /// </summary>
    public virtual bool KeepsNonFinite => true;

    /// <summary>
    /// Whether the gradient of an operand may be infinite where the formula's is not, because parts of it are stored in a type
    /// of a small range before they are added.
    /// </summary>
    public virtual bool MayOverflow(int operand, ElementType type) => false;

    /// <summary>Whether the output is linear in an operand.</summary>
    public virtual bool IsLinear(int operand) => Operands[operand].Name is "value" or "weights" or "encoder" or "decoder";

    public bool Wants(int operand) =>
        Operands[operand].Flag == Gradients.None || (Wanted & Operands[operand].Flag) != 0;

    public void RoundTo(ElementType type)
    {
        foreach (var operand in Operands.Append(GradOutput))
            operand.RoundTo(type);
    }

    /// <summary>Runs the problem on a device and reads the results.</summary>
    public IReadOnlyList<Result> RunOnce(ComputeDevice device, ElementType type) =>
        type.Dispatch<Runner, IReadOnlyList<Result>>(new(this, device));

    public string Describe(ElementType type) => string.Join(
        Environment.NewLine,
        [
            $"{Name}, {type.ShortName()}, {(IsIntoOwn ? "into maps of the caller" : "allocating")}, gradients {Wanted}",
            .. Operands.Append(GradOutput).Select(operand => $"  {operand}"),
        ]);

    /// <summary>Draws an operand and adds it.</summary>
    protected Operand Add(string name, MapShape shape, Gradients flag, double magnitude = 1) => Add(
        name, ReferenceMap.Random(Draw.Random, shape, magnitude), flag);

    protected Operand Add(string name, ReferenceMap values, Gradients flag)
    {
        Operands.Add(new(name, values, Placement.Of(Draw, Kernel), flag));
        return Operands[^1];
    }

    /// <summary>Draws a parameter and adds it; returns its number.</summary>
    protected int AddParameter(string name, MapShape shape, double magnitude = 1)
    {
        Operands.Add(new(name, ReferenceMap.Random(Draw.Random, shape, magnitude), Placement.Dense, Gradients.Parameters)
        {
            IsParameter = true,
        });
        return Operands.Count - 1;
    }

    /// <summary>Draws the gradient of the output and, where flags leave gradients out, which of them are asked for.</summary>
    protected void AddGradient(MapShape shape)
    {
        GradOutput = new(
            "gradient", ReferenceMap.Random(Draw.Random, shape), Placement.Of(Draw, Kernel), Gradients.None);
        var flags = Operands.Select(operand => operand.Flag).Distinct().Where(flag => flag != Gradients.None).ToArray();
        if (flags.Length == 0 || Draw.OnceIn(2))
            return;
        Wanted = Draw.Of(flags);
        foreach (var flag in flags)
            Wanted |= Draw.OnceIn(2) ? flag : Gradients.None;
    }

    private readonly struct Runner(OperatorProblem problem, ComputeDevice device) : IElementVisitor<IReadOnlyList<Result>>
    {
        public IReadOnlyList<Result> Visit<T>()
            where T : unmanaged
        {
            using var maps = new ProblemMaps<T>(device, problem);
            using var run = new Execution<T>(problem, maps);
            problem.Run(run);
            var results = run.Read();
            maps.CheckSurroundings();
            return results;
        }
    }
}
