using System.Text.RegularExpressions;
using SapaGpu.Kernels.Policies;
using SapaGpu.Kernels.Simt;

namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary>A thread-group program with all its type parameters chosen, and what they say about it.</summary>
public sealed partial class KernelInstantiation
{
    private static readonly string[] BackwardNames =
    [
        "Backward", "Gradient", "Transposed", "Adjoint", "Outer", "ChunkReduction", "Gather",
        "DeformableCount", "DeformableStarts", "DeformablePlacement", "DeformableSort",
    ];

    private readonly Type[] arguments;

    public KernelInstantiation(Type kernel, Type parameters)
    {
        Kernel = kernel;
        Parameters = parameters;
        arguments = [.. Flatten(kernel)];
    }

    /// <summary>Gets the closed kernel type.</summary>
    public Type Kernel { get; }

    /// <summary>Gets the kernel type as it was written, with its type parameters open.</summary>
    public Type Definition => Kernel.IsGenericType ? Kernel.GetGenericTypeDefinition() : Kernel;

    /// <summary>Gets the kernel's parameter block.</summary>
    public Type Parameters { get; }

    /// <summary>Gets the name of the kernel without its type parameters.</summary>
    public string Operator => WithoutArity(IsMap ? Kernel.GetGenericArguments()[0] : Kernel);

    /// <summary>Gets whether the kernel calculates in double precision.</summary>
    public bool IsDouble => arguments.Contains(typeof(double));

    /// <summary>
    /// Gets whether the kernel is made for the common case: what it leaves open of window, scale and access is what it
    /// has no version for. A kernel that works on no maps is not.
    /// </summary>
    public bool IsFast =>
        Kernel.IsGenericType
        && !arguments.Intersect([typeof(AnyWindow), typeof(AnyScale), typeof(AnyRatio), typeof(StridedAccess)]).Any()
        && !IsReplacedByCellPairs;

    /// <summary>Gets whether the kernel multiplies by matrix units.</summary>
    public bool UsesMatrixUnits =>
        arguments.Contains(typeof(Float16Matrix)) || arguments.Contains(typeof(BFloat16Matrix));

    // CUDA has programs on cell pairs instead, and with matrix units for 16-bit types.
    private bool IsReplacedByCellPairs => !IsDouble && Window > 0 && !UsesMatrixUnits
        && (IsNative || !Operator.StartsWith("Cell", StringComparison.Ordinal));

    /// <summary>Gets whether the kernel converts 16-bit types by instructions that CUDA devices have.</summary>
    public bool IsNative =>
        arguments.Contains(typeof(Float16NativeElement)) || arguments.Contains(typeof(BFloat16NativeElement));

    /// <summary>Gets whether the kernel holds PTX that was written by hand.</summary>
    public bool UsesInlineAssembly => UsesMatrixUnits || arguments.Contains(typeof(BFloat16NativeElement));

    /// <summary>Gets whether CUDA devices run a kernel with such instructions instead.</summary>
    public bool HasNativeCounterpart =>
        arguments.Contains(typeof(Float16Element)) || arguments.Contains(typeof(BFloat16Element));

    /// <summary>
    /// Gets whether the kernel counts by atomic operations, on whole numbers: what it leaves is sorted before it is used.
    /// </summary>
    public bool CountsByAtomics => Operator is "DeformableCount" or "DeformablePlacement";

    /// <summary>Gets whether the kernel is a map program, which computes one value at a time.</summary>
    public bool IsMap => Definition == typeof(MapKernel<,>);

    /// <summary>Gets whether the kernel reads some maps four channels at a time and others not.</summary>
    public bool IsMixed => arguments.Contains(typeof(VectorAccess)) && arguments.Contains(typeof(StridedAccess));

    /// <summary>Gets the width of the window; 0 where it is not known when the kernel is compiled.</summary>
    public int Window => arguments.Contains(typeof(Window3)) ? 3
        : arguments.Contains(typeof(Window5)) ? 5
        : arguments.Contains(typeof(Window7)) ? 7
        : 0;

    /// <summary>Gets whether tensors have a type of 16 bits.</summary>
    public bool IsNarrow => arguments.Contains(typeof(ushort));

    /// <summary>Gets whether all accesses to the feature maps take four channels.</summary>
    public bool ByVectors => arguments.Contains(typeof(VectorAccess)) && !arguments.Contains(typeof(StridedAccess));

    /// <summary>Gets the threads of a group.</summary>
    public int GroupSize => (int)Kernel.GetProperty(nameof(GroupSize))!.GetValue(null)!;

    /// <summary>Gets the type of the maps, such as "f32"; "-" where there is only one.</summary>
    public string ElementType => Chosen("Element") switch
    {
        "Float64" => "f64",
        "Float32" => "f32",
        "Float16" or "Float16Native" => "f16",
        "BFloat16" or "BFloat16Native" => "bf16",
        _ => IsDouble ? "f64" : arguments.Contains(typeof(float)) ? "f32" : "-",
    };

    /// <summary>
    /// Gets the ratio of the maps that is compiled in: "2", "integer", "any", or "-" where there is none.
    /// </summary>
    public string Ratio => arguments.Contains(typeof(Scale2)) ? "2"
        : arguments.Contains(typeof(AnyScale)) ? "integer"
        : arguments.Contains(typeof(AnyRatio)) ? "any"
        : "-";

    /// <summary>
    /// Gets the memory format that the accesses are made for: "channels_last", "contiguous", "mixed" or "any".
    /// </summary>
    public string Format => IsMixed ? "mixed"
        : ByVectors ? "channels_last"
        : arguments.Contains(typeof(StridedAccess)) ? "contiguous"
        : "any";

    /// <summary>Gets the border rule that is compiled in; "-" where there is none.</summary>
    public string Border => Chosen("Border") ?? "-";

    /// <summary>Gets the normalisation that is compiled in; "-" where there is none.</summary>
    public string Normalisation => Chosen("Normalisation") ?? "-";

    /// <summary>Gets "backward" where the kernel computes gradients, else "forward".</summary>
    public string Pass =>
        BackwardNames.Any(name => Operator.Contains(name, StringComparison.Ordinal)) ? "backward" : "forward";

    /// <summary>Gets a name for a file: the operator and what was chosen for it.</summary>
    public string FileName => string.Join('-', arguments.Select(Short).Prepend(Operator));

    public override string ToString() => $"{Operator}({string.Join(", ", arguments.Select(WithoutArity))})";

    private static IEnumerable<Type> Flatten(Type type)
    {
        foreach (var argument in type.GetGenericArguments())
        {
            if (argument.Name.EndsWith("Parameters", StringComparison.Ordinal))
                continue;
            yield return argument;
            foreach (var nested in Flatten(argument))
                yield return nested;
        }
    }

    private string? Chosen(string kind) => arguments
        .Where(type => type.Namespace!.StartsWith(nameof(SapaGpu), StringComparison.Ordinal))
        .Select(WithoutArity)
        .Where(name => name.EndsWith(kind, StringComparison.Ordinal))
        .Select(name => name[..^kind.Length])
        .FirstOrDefault();

    private static string Short(Type type) => Suffix().Replace(WithoutArity(type), string.Empty);

    private static string WithoutArity(Type type)
    {
        int mark = type.Name.IndexOf('`', StringComparison.Ordinal);
        return mark < 0 ? type.Name : type.Name[..mark];
    }

    [GeneratedRegex("(Element|Border|Normalisation|Access)$")]
    private static partial Regex Suffix();
}
