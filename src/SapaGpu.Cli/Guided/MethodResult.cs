namespace SapaGpu.Cli.Guided;

/// <summary>The result of a method.</summary>
/// <param name="Method">The method.</param>
/// <param name="Map">The map at the size of the photo.</param>
/// <param name="Quality">The figures of the comparison with the truth; empty where there is none.</param>
internal sealed record MethodResult(UpsampleMethod Method, Raster Map, IReadOnlyList<double> Quality);
