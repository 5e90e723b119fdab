namespace SapaGpu.Workloads;

/// <summary>The operators and modules that can be measured.</summary>
internal enum Operator
{
    WindowAttention,
    SapaB,
    Carafe,
    Bilinear,
    Nearest,
    SapaI,
    SapaG,
    SapaD,
    Deformable,
    CarafeModule,
    CrossAttention,
}
