using System.Reflection;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Kernels.Policies;
using SapaGpu.Launch;

namespace SapaGpu.DeviceBenchmarks.Code;

/// <summary>
/// Every thread-group program that the library can dispatch to, found in the library's own tables: each table of
/// kernels is asked for each variant, for each element type.
/// </summary>
internal static class KernelCatalogue
{
    private const BindingFlags Members =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly bool[] Choices = [true, false];

    /// <summary>Gets the kernels, each once.</summary>
    public static IReadOnlyList<KernelInstantiation> All { get; } =
    [
        .. Launchables()
            .DistinctBy(kernel => kernel.Kernel)
            .OrderBy(kernel => kernel.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>
    /// Gets the kernels whose code is looked at: of the 16-bit types, which differ from single precision in reading and
    /// writing only, those of the common case; of the general window kernels those without vectors or with vectors
    /// throughout.
    /// </summary>
    public static IEnumerable<KernelInstantiation> Inspected =>
        All.Where(kernel => kernel.IsFast || kernel.IsMap || !(kernel.IsNarrow || kernel.IsMixed));

    /// <summary>Gets the kernels of the common case.</summary>
    public static IEnumerable<KernelInstantiation> Fast => All.Where(kernel => kernel.IsFast);

    /// <summary>Gets the open types of all thread-group programs of the kernels assembly.</summary>
    public static IEnumerable<Type> Programs =>
        typeof(KernelEntry).Assembly.GetTypes().Where(type => Implements(type, typeof(IKernel<>)) && !type.IsInterface);

    private static IEnumerable<KernelVariant> Variants => (
        from window in OperatorSupport.FastWindows.Append(0)
        from scale in Enum.GetValues<ScaleChoice>()
        from border in Enum.GetValues<BorderRule>()
        where border != BorderRule.Shifted
        from normalisation in Enum.GetValues<ScoreNormalisation>()
        from embedding in Choices
        from value in Choices
        let variant = new KernelVariant(0, window, scale, border, normalisation, embedding, value).OrGeneric()
        from cellPairs in Choices
        from matrix in Enum.GetValues<MatrixChoice>()
        let whole = cellPairs && variant.Window > 0
        from tiles in Enum.GetValues<TileChoice>()
        let cut = variant is { Window: 0, Normalisation: ScoreNormalisation.Softmax } && embedding == value
            ? tiles
            : TileChoice.None
        select variant with
        {
            CellPairs = whole,
            Tiles = cut,
            Matrix = whole || cut != TileChoice.None ? matrix : MatrixChoice.None,
        }).Distinct();

    private static IEnumerable<Type[]?> Elements =>
        from element in typeof(KernelEntry).Assembly.GetTypes()
        where element.IsValueType && !element.IsGenericTypeDefinition
        from contract in element.GetInterfaces()
        where contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IElement<,>)
        let types = contract.GetGenericArguments()
        let real = types[1] == typeof(double) ? typeof(Float64Element) : typeof(Float32Element)
        select (Type[])[element, .. types, real];

    private static object Arithmetic(Type[] element) => Activator.CreateInstance(element[1] == element[2]
        ? typeof(PlainArithmetic<>).MakeGenericType(element[2])
        : typeof(NarrowArithmetic<>).MakeGenericType(element[0]))!;

    private static IEnumerable<KernelInstantiation> Launchables() =>
        from owned in Tables()
        from variant in Variants
        where !(variant.CellPairs && IsDouble(owned.Table)) && Multiplies(owned.Element, variant.Matrix)
        let arguments = Launchable(owned.Table, variant).GetType().GetGenericArguments()

        // Some programs are the CPU's alone.
        where Implements(arguments[0], typeof(IKernel<>))
        select new KernelInstantiation(arguments[0], arguments[1]);

    // Those of operators are fields of one object for each element type; one that knows no element types is static.
    private static IEnumerable<(Type? Element, object Table)> Tables() =>
        from owner in typeof(KernelVariant).Assembly.GetTypes()
        where owner.GetFields(Members).Any(IsTable)
        from element in owner.IsGenericTypeDefinition ? Elements : [null]
        let instance = element is null
            ? null
            : Create(owner.MakeGenericType(element[..owner.GetGenericArguments().Length]), element)
        from field in (instance?.GetType() ?? owner).GetFields(Members)
        where IsTable(field)
        select (element is null ? null : element[0], field.GetValue(instance)!);

    // Where there are vector programs beside the others, their arithmetic is asked for.
    private static object Create(Type owner, Type[] element) =>
        Activator.CreateInstance(owner, owner.GetConstructor([]) is null ? [Arithmetic(element)] : [])!;

    private static object Launchable(object table, KernelVariant variant) =>
        table.GetType().GetProperty("Item")!.GetValue(table, [variant])!;

    // In double precision nothing works on cell pairs.
    private static bool IsDouble(object table) => Flatten(table.GetType()).Contains(typeof(double));

    // Matrix units take the format that a table is for.
    private static bool Multiplies(Type? element, MatrixChoice matrix) => matrix switch
    {
        MatrixChoice.None => true,
        MatrixChoice.Float16 => element == typeof(Float16NativeElement),
        _ => element == typeof(BFloat16NativeElement),
    };

    private static IEnumerable<Type> Flatten(Type type) =>
        type.GetGenericArguments().SelectMany(Flatten).Prepend(type);

    private static bool IsTable(FieldInfo field) =>
        field.FieldType.IsGenericType && field.FieldType.GetGenericTypeDefinition() == typeof(VariantTable<>);

    private static bool Implements(Type type, Type contract) =>
        type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == contract);
}
