namespace SapaGpu.Guided;

/// <summary>The shape of the joint bilateral kernel.</summary>
/// <param name="Window">K, the odd number of cells across the window.</param>
/// <param name="ColourSigma">The standard deviation over colours, per channel in the range from 0 to 1.</param>
/// <param name="SpaceSigma">The standard deviation over positions, in cells.</param>
/// <param name="Refines">
/// Whether colours are those of <see cref="LabColour"/> and what follows <see cref="GuidedOptions.Refine"/> is done.
/// </param>
internal sealed record KernelSettings(int Window, double ColourSigma, double SpaceSigma, bool Refines = false);
