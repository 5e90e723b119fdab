namespace SapaGpu.Cli.Guided;

/// <summary>How many seconds the parts of a job took.</summary>
/// <param name="Read">Reading and checking the inputs, and opening the device in the first job.</param>
/// <param name="Compute">Upsampling by all methods; for arrays that are written in parts, writing too.</param>
/// <param name="Write">Writing the results and comparing them.</param>
internal sealed record JobTimes(double Read, double Compute, double Write);
