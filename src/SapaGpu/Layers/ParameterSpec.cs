namespace SapaGpu.Layers;

/// <summary>Describes a parameter to be created.</summary>
/// <param name="Name">The name in a state_dict.</param>
/// <param name="Shape">The dimensions in a state_dict: one for a vector, two or four for a matrix.</param>
/// <param name="Constant">The initial value of all elements; null for random values.</param>
/// <param name="Deviation">The standard deviation of random initial values.</param>
/// <param name="Stack">
/// The stack of the parameter, null for none; the parameters of a stack are adjacent in memory, so that one product
/// serves them all.
/// </param>
/// <param name="Values">The initial values, one for each element; null for <paramref name="Constant"/> or random ones.</param>
internal sealed record ParameterSpec(
    string Name,
    IReadOnlyList<int> Shape,
    double? Constant = null,
    double Deviation = 0.02,
    string? Stack = null,
    IReadOnlyList<double>? Values = null);
