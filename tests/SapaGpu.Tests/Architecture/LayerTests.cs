using System.Reflection;
using ILGPU;
using NUnit.Framework;
using SapaGpu.Cli.Commands;
using SapaGpu.Kernels.Contracts;
using SapaGpu.Native;
using SapaGpu.Onnx;
using SapaGpu.Workloads;

namespace SapaGpu.Tests.Architecture;

/// <summary>The arrows between assemblies and between the folders of the library, which all point one way.</summary>
public sealed class LayerTests
{
    private static readonly Assembly Library = typeof(ComputeDevice).Assembly;
    private static readonly Assembly Kernels = typeof(WindowExtent).Assembly;
    private static readonly TypeFolders Folders = new(Library, "/src/SapaGpu/");

    // A folder may name those that stand before it; checkpoints know maps, and neither operators nor layers.
    private static readonly string[] Upwards = ["Devices", "Maps", "Launch", "Operators", "Layers", "Modules"];

    private static IEnumerable<(Type Type, string Folder)> Types =>
        from type in Library.GetTypes()
        let folder = Folders.Of(type)
        where folder is not null
        select (type, folder);

    [Test]
    public void Every_folder_has_its_level() => Assert.That(
        Types.Select(entry => entry.Folder).Distinct(), Is.EquivalentTo(Upwards.Append("Checkpoints")));

    [Test]
    public void No_arrow_points_up()
    {
        var offending =
            from entry in Types
            from named in TypeReferences.Of(entry.Type)
            let folder = Folders.Of(named)
            where folder is not null && folder != entry.Folder && !MayName(entry.Folder, folder)
            select $"{entry.Folder}/{entry.Type.Name} names {folder}/{named.Name}";
        Assert.That(offending.Distinct(), Is.Empty);
    }

    [Test]
    public void What_lies_above_the_operators_knows_neither_launch_nor_kernels()
    {
        var offending =
            from entry in Types
            where entry.Folder is "Layers" or "Modules" or "Checkpoints"
            from named in TypeReferences.Of(entry.Type)
            where IsBackend(named) || (Folders.Of(named) == "Launch" && !named.IsVisible)
            select $"{entry.Folder}/{entry.Type.Name} names {named.FullName}";
        Assert.That(offending.Distinct(), Is.Empty);
    }

    // That the tests above see a reference wherever it stands.
    [TestCase(typeof(SapaUpsampler<>), typeof(WindowAttention), "in an instruction")]
    [TestCase(typeof(WindowAttentionOptions), typeof(BorderRule), "in a property")]
    [TestCase(typeof(UpsamplerModule<>), typeof(StateDict), "in a parameter")]
    public void References_are_seen(Type type, Type named, string where) =>
        Assert.That(TypeReferences.Of(type), Has.Member(named), where);

    [Test]
    public void Kernels_depend_on_ILGPU_and_the_framework_only() =>
        Assert.That(
            Kernels.GetReferencedAssemblies().Select(a => a.Name),
            Is.All.Matches<string>(
                n => n is not null && (n is "ILGPU" or "ILGPU.Algorithms" || n.StartsWith("System", StringComparison.Ordinal))));

    [Test]
    public void Kernels_show_nothing() => Assert.That(Kernels.GetExportedTypes(), Is.Empty);

    [Test]
    public void Nothing_below_the_C_interface_knows_it() =>
        Assert.That(
            new[] { typeof(ComputeDevice), typeof(WindowExtent), typeof(GuidedUpsampler), typeof(OnnxModel) }
                .SelectMany(type => type.Assembly.GetReferencedAssemblies())
                .Select(assembly => assembly.Name),
            Has.None.EqualTo(typeof(ExportTable).Assembly.GetName().Name));

    [Test]
    public void The_C_interface_knows_no_launch()
    {
        var offending =
            from type in typeof(ExportTable).Assembly.GetTypes()
            from named in TypeReferences.Of(type)
            where Folders.Of(named) == "Launch" && !named.IsVisible
            select $"{type.Name} names {named.FullName}";
        Assert.That(offending.Distinct(), Is.Empty);
    }

    [Test]
    public void Tool_workloads_and_C_interface_do_not_reach_past_the_library() =>
        Assert.That(
            new[] { typeof(InfoCommand), typeof(Workload), typeof(ExportTable) }
                .SelectMany(type => type.Assembly.GetReferencedAssemblies())
                .Select(assembly => assembly.Name),
            Has.None.EqualTo("ILGPU").And.None.EqualTo("SapaGpu.Kernels"));

    [Test]
    public void Public_signatures_name_no_type_of_ILGPU_and_no_kernel()
    {
        var offending = Library.GetExportedTypes()
            .SelectMany(type => type.GetMembers(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public))
            .Where(member => SignatureTypes(member).Any(IsBackend))
            .Select(member => $"{member.DeclaringType}.{member.Name}");
        Assert.That(offending, Is.Empty);
    }

    private static bool MayName(string folder, string named)
    {
        if (folder == "Checkpoints")
            return named is "Devices" or "Maps";
        return named == "Checkpoints" ? folder == "Modules" : Array.IndexOf(Upwards, named) < Array.IndexOf(
            Upwards, folder);
    }

    private static bool IsBackend(Type type) =>
        type.Assembly == typeof(Context).Assembly || type.Assembly == Kernels
        || (type.IsGenericType && type.GetGenericArguments().Any(IsBackend));

    private static IEnumerable<Type> SignatureTypes(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType),
        ConstructorInfo constructor => constructor.GetParameters().Select(p => p.ParameterType),
        PropertyInfo property => [property.PropertyType],
        FieldInfo field => [field.FieldType],
        _ => [],
    };
}
