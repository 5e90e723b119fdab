namespace SapaGpu.Cli.Commands;

/// <summary>The classes of modules, as a set of those that an option means something to.</summary>
[Flags]
internal enum ModuleKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><see cref="SapaUpsampler{T}"/>.</summary>
    Sapa = 1,

    /// <summary><see cref="SapaDeformableUpsampler{T}"/>.</summary>
    Deformable = 2,

    /// <summary><see cref="CarafeUpsampler{T}"/>.</summary>
    Carafe = 4,
}
