namespace SapaGpu.Maps;

/// <summary>An operand and the parameter name by which error messages refer to it.</summary>
internal readonly record struct Operand(string Name, FeatureMap? Map);
