namespace SapaGpu.Maps;

/// <summary>An argument with its name, for messages.</summary>
internal readonly record struct Operand(string Name, FeatureMap? Map);
