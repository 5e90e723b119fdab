namespace SapaGpu.Cli.Guided;

/// <summary>The shape of the joint bilateral kernel.</summary>
/// <param name="Window">K, the odd number of cells across the window.</param>
/// <param name="ColourSigma">The spread over colours, per channel, where a channel goes from 0 to 1.</param>
/// <param name="SpaceSigma">The spread over positions, in cells.</param>
internal sealed record KernelSettings(int Window, double ColourSigma, double SpaceSigma);
