namespace SapaGpu.Layers;

/// <summary>A parameter to be made.</summary>
/// <param name="Name">The name in a state_dict.</param>
/// <param name="Shape">The dimensions in a state_dict: one for a vector, two or four for a matrix.</param>
/// <param name="Constant">The initial value; null for random ones.</param>
/// <param name="Deviation">The deviation of random initial values.</param>
/// <param name="Stack">
/// Parameters of the same stack lie behind one another in memory, so that one product serves them all; null for none.
/// </param>
internal sealed record ParameterSpec(
    string Name, IReadOnlyList<int> Shape, double? Constant = null, double Deviation = 0.02, string? Stack = null);
