namespace SapaGpu.Tests;

/// <summary>A number with its derivative: what the reference computes in, so that its gradients are exact.</summary>
public readonly record struct Dual(double Value, double Derivative)
{
    public static implicit operator Dual(double value) => new(value, 0);

    public static Dual operator +(Dual a, Dual b) => new(a.Value + b.Value, a.Derivative + b.Derivative);

    public static Dual operator -(Dual a, Dual b) => new(a.Value - b.Value, a.Derivative - b.Derivative);

    public static Dual operator *(Dual a, Dual b) =>
        new(a.Value * b.Value, a.Derivative * b.Value + a.Value * b.Derivative);

    public static Dual operator /(Dual a, Dual b) =>
        new(a.Value / b.Value, (a.Derivative * b.Value - a.Value * b.Derivative) / (b.Value * b.Value));

    public static Dual Exp(Dual a)
    {
        double power = Math.Exp(a.Value);
        return new(power, power * a.Derivative);
    }

    public static Dual Sin(Dual a) => new(Math.Sin(a.Value), Math.Cos(a.Value) * a.Derivative);

    public static Dual Cos(Dual a) => new(Math.Cos(a.Value), -Math.Sin(a.Value) * a.Derivative);

    public static Dual Sigmoid(Dual a)
    {
        double value = 1 / (1 + Math.Exp(-a.Value));
        return new(value, value * (1 - value) * a.Derivative);
    }

    public static Dual Sqrt(Dual a)
    {
        double root = Math.Sqrt(a.Value);
        return new(root, a.Derivative / (2 * root));
    }
}
