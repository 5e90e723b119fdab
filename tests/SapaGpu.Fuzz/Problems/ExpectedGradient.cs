namespace SapaGpu.Fuzz.Problems;

/// <summary>
/// Derivatives of Σ output·gradient by elements of an operand, or along a direction through all of them: each is a
/// forward of the reference, on numbers with derivatives.
/// </summary>
internal sealed class ExpectedGradient(OperatorProblem problem, Operand operand)
{
    private Dual[] Values => operand.Values.Values;

    public double Of(int element)
    {
        Values[element] = new Dual(Values[element].Value, 1);
        double derivative = Derivative();
        Values[element] = Values[element].Value;
        return derivative;
    }

    public double Along(double[] direction)
    {
        for (int i = 0; i < direction.Length; i++)
            Values[i] = new Dual(Values[i].Value, direction[i]);
        double derivative = Derivative();
        for (int i = 0; i < direction.Length; i++)
            Values[i] = Values[i].Value;
        return derivative;
    }

    private double Derivative()
    {
        var output = problem.Expected();
        var weights = problem.GradOutput.Values;
        double sum = 0;
        for (int i = 0; i < output.Values.Length; i++)
            sum += output.Values[i].Derivative * weights.Values[i].Value;
        return sum;
    }
}
