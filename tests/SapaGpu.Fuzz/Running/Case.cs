namespace SapaGpu.Fuzz.Running;

/// <summary>One problem of a campaign: what it draws, what it says about itself, and the calls that it made.</summary>
internal sealed class Case
{
    private readonly List<string> description = [];

    public Case(long seed, long number, int casesPerKernel)
    {
        (Seed, Number) = (seed, number);
        Draw = new Draw(seed, number);
        Kernel = casesPerKernel == 1 ? Draw : new Draw(~seed, number / casesPerKernel);
    }

    public long Seed { get; }

    public long Number { get; }

    public Draw Draw { get; }

    /// <summary>
    /// Gets the draws that decide which kernel runs; where kernels take long to compile, neighbouring cases share them.
    /// </summary>
    public Draw Kernel { get; }

    public long Calls { get; private set; }

    public string Description => string.Join(Environment.NewLine, description);

    public void Describe(string line) => description.Add(line);

    public void CountCalls(int calls) => Calls += calls;
}
