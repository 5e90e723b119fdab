namespace SapaGpu.Kernels.Contracts;

/// <summary>
/// Says that a program relies on its products being rounded: a driver's assembler otherwise joins a multiplication with
/// an addition that takes its product, and the difference of two equal numbers becomes what rounding took from one of
/// them.
/// </summary>
[AttributeUsage(AttributeTargets.Struct)]
internal sealed class RoundedProductsAttribute : Attribute;
