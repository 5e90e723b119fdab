namespace SapaGpu.Fuzz.Problems;

/// <summary>An operand of a problem.</summary>
/// <param name="Name">Its name in messages.</param>
/// <param name="Values">Its values.</param>
/// <param name="Placement">How it lies in memory.</param>
/// <param name="Flag">The flag of its gradient; none where an operator returns no choice.</param>
internal sealed record Operand(string Name, ReferenceMap Values, Placement Placement, Gradients Flag)
{
    /// <summary>Gets whether the operand is a parameter, whose type is that of the arithmetic.</summary>
    public bool IsParameter { get; init; }

    public MapShape Shape => Values.Shape;

    /// <summary>Rounds the values to what maps or parameters of an element type hold.</summary>
    public void RoundTo(ElementType type)
    {
        for (int i = 0; i < Values.Values.Length; i++)
            Values.Values[i] = Rounding.To(IsParameter ? type.Accumulator() : type, Values.Values[i].Value);
    }

    public override string ToString() => $"{Name} {Shape} {Placement}";
}
