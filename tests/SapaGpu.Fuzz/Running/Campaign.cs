namespace SapaGpu.Fuzz.Running;

/// <summary>Problems of one kind, drawn at random, of which every one has to hold.</summary>
internal abstract class Campaign : IDisposable
{
    /// <summary>Gets how long a case may take before it counts as one that hangs.</summary>
    public virtual TimeSpan Patience => TimeSpan.FromMinutes(2);

    /// <summary>Gets how many neighbouring cases draw the same kernel.</summary>
    public virtual int CasesPerKernel => 1;

    /// <summary>Runs a case; any exception that comes out is a failure.</summary>
    public abstract void Run(Case problem);

    /// <summary>Checks what can be said only after all cases.</summary>
    public virtual void End(Case last)
    {
    }

    public abstract void Dispose();
}
